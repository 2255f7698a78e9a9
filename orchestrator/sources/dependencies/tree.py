"""The requirement and lock files in the tree of a release."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator

from orchestrator.sources.dependencies import json_files, requirements, toml_files
from orchestrator.sources.dependencies.needs import FileNeeds, Need, Unreadable

Read = Callable[[str], FileNeeds]

READERS: tuple[tuple[re.Pattern[str], Read], ...] = (
    (re.compile(r"(.*[_.-])?(requirements|reqs)([_.-].*)?\.txt"), requirements.read),
    (re.compile(r"requirements/[^/]+\.txt"), requirements.read),
    (re.compile(r"pyproject\.toml"), toml_files.pyproject),
    (re.compile(r"(uv|poetry|pdm)\.lock"), toml_files.lock),
    (toml_files.IS_PYLOCK, toml_files.pylock),
    (re.compile(r"Pipfile\.lock"), json_files.pipfile_lock),
    (re.compile(r"package\.json"), json_files.package_json),
    (re.compile(r"(package-lock|npm-shrinkwrap)\.json"), json_files.package_lock),
)
ENDINGS = (".txt", ".in", ".toml", ".lock", ".json")
"""Of the files above, and of those that they include. A commit that changes none of these changes no dependency."""
NOT_DEPLOYED = frozenset(["node_modules", "site-packages", "vendor", "tests", "test", "fixtures", "examples", "docs"])
"""Folders whose files are about something else than what the app needs while it runs."""
MOST_FOLDERS = 3
"""So deep a file may be below the app's folder."""
MOST_OF_NAME = 255
"""Characters. No file system has a longer name; Git has, and an expression would take seconds for it."""
MOST_FILES = 50
MOST_BYTES = 4 * 2**20
"""Of one file."""


def patterns(folder: str) -> list[str]:
    """Git's patterns of the paths below a folder of the repository that may be of such files."""
    prefix = "" if folder in (".", "") else f"{_literally(folder.strip('/'))}/"
    return [f":(glob){prefix}**/*{ending}" for ending in ENDINGS]


def _literally(path: str) -> str:
    """A path in a pattern of Git, in which `*`, `?`, `[` and `\\` mean something."""
    return "".join(f"\\{one}" if one in "*?[\\" else one for one in path)


def reader_of(path: str) -> Read | None:
    """What reads the file at this path below the app's folder; None if it is no requirement or lock file of the app."""
    *folders, name = path.split("/")
    if len(folders) > MOST_FOLDERS or len(name) > MOST_OF_NAME or NOT_DEPLOYED & set(folders):
        return None
    with_folder = "/".join([*folders[-1:], name])
    return next((read for pattern, read in READERS if pattern.fullmatch(name) or pattern.fullmatch(with_folder)), None)


def needs_of(paths: Iterable[str], content: Callable[[str], str | None]) -> tuple[list[Need], list[str]]:
    """What the files at these paths need, and the paths of those that cannot be read.

    `content` gives a file's text; None if there is no such file, or one that is too large. At most MOST_FILES are read.
    """
    needs: list[Need] = []
    unreadable: list[str] = []
    waiting = [(path, read) for path in sorted(paths) if (read := reader_of(path))]
    known = {path for path, _ in waiting}
    for _ in range(MOST_FILES):
        if not waiting:
            return needs, unreadable
        path, read = waiting.pop(0)
        try:
            if (text := content(path)) is None:
                raise Unreadable
            found = read(text)
        except Unreadable:
            unreadable.append(path)
            continue
        needs += found.needs
        for included in _within(path, found.includes):
            if included not in known:
                known.add(included)
                waiting.append((included, requirements.read))
    return needs, [*unreadable, *(path for path, _ in waiting)]


def _within(path: str, includes: Iterable[str]) -> Iterator[str]:
    """Files beside the one that includes them. None outside of the tree, and none on the web."""
    for one in includes:
        whole = posixpath.normpath(posixpath.join(posixpath.dirname(path), one))
        if "://" not in one and not whole.startswith(("/", "../")) and whole not in ("..", "."):
            yield whole

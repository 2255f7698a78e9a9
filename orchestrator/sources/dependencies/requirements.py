"""Requirement files of pip, and single requirements (PEP 508).

https://pip.pypa.io/en/stable/reference/requirements-file-format/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename

from border.urls import without_credentials
from orchestrator.sources.dependencies.needs import FileNeeds, Need, python_need

_COMMENT = re.compile(r"(^|\s)#.*")
_OPTION_OF_A_LINE = re.compile(r"\s--?[a-z][a-z-]*([= ].*)?$")
"""`--hash=…`, `--config-settings …`, after a requirement."""
_INCLUDES = re.compile(r"(?:-r|--requirement|-c|--constraint)[ =]?\s*(?P<file>\S.*)")
_EDITABLE = re.compile(r"(?:-e|--editable)[ =]\s*(?P<what>\S.*)")
_EGG = re.compile(r"#(?:[^#]*&)?egg=(?P<name>[A-Za-z0-9._-]+)")
_REVISION = re.compile(r"(?P<address>[a-z]+\+[^#]*/[^@/#]+)@(?P<revision>[^@#:]+)")
MOST_OF_LINE = 100_000


def read(text: str) -> FileNeeds:
    """What a requirement file names. Lines that are no requirement, such as a path of a folder, are left out."""
    needs: list[Need] = []
    includes: list[str] = []
    for line in _lines(text):
        if found := _INCLUDES.fullmatch(line):
            includes.append(found["file"].strip("'\""))
        elif need := _need(line):
            needs.append(need)
    return FileNeeds(tuple(needs), tuple(includes))


def _lines(text: str) -> Iterator[str]:
    """Logical lines: a backslash at the end continues one, except in a comment."""
    kept: list[str] = []
    for raw in text.splitlines():
        is_comment = raw.lstrip().startswith("#")
        kept.append("" if is_comment else raw.rstrip("\\") if raw.endswith("\\") else raw)
        if raw.endswith("\\") and not is_comment:
            continue
        whole, kept = "".join(kept), []
        if (line := _COMMENT.sub("", whole[:MOST_OF_LINE]).strip()) and len(whole) <= MOST_OF_LINE:
            yield line


def _need(line: str) -> Need | None:
    if editable := _EDITABLE.fullmatch(line):
        line = editable["what"]
    elif line.startswith("-"):
        return None
    while shorter := _OPTION_OF_A_LINE.sub("", line):
        if shorter == line:
            break
        line = shorter
    return requirement(line) or _from_url(line)


def requirement(text: str) -> Need | None:
    """One requirement: its exact version, the range it allows, or the address it comes from. None if it is none.

    Extras and markers are left out: they do not say which version is wanted.
    """
    try:
        found = Requirement(text.strip())
    except (InvalidRequirement, RecursionError):  # whoever writes one chooses how deep its markers are nested
        return None
    if found.url:
        return python_need(found.name, _from(found.url), is_exact=True)
    only = next(iter(found.specifier)) if len(found.specifier) == 1 else None
    if only and only.operator in ("==", "===") and not only.version.endswith(".*"):
        return python_need(found.name, only.version, is_exact=True)
    return python_need(found.name, str(found.specifier), is_exact=False)


def _from_url(line: str) -> Need | None:
    """A requirement that is an address alone, and says its name in its fragment or its file's name."""
    if "://" not in line:
        return None
    if egg := _EGG.search(line):
        return python_need(egg["name"], _from(line), is_exact=True)
    try:
        name = urlsplit(line).path.rpartition("/")[2]
        parsed = parse_wheel_filename(name)[:2] if name.endswith(".whl") else parse_sdist_filename(name)
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return None
    return python_need(parsed[0], str(parsed[1]), is_exact=True)


def _from(url: str) -> str:
    """The address without credentials; a branch, tag or commit may follow it."""
    found = _REVISION.fullmatch(url.partition("#")[0])
    if found is None:
        return without_credentials(url.partition("#")[0])
    return f"{without_credentials(found['address'])}@{found['revision']}"

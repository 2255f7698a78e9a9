"""A repository that is named by a path: whether the orchestrator's container has all of it, and what to mount."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

MOST_OF_POINTER = 4096
"""Bytes of a file that names another folder."""


def is_relative(remote: str) -> bool:
    """Whether a remote is a path that begins at the folder of the configuration file."""
    return remote.startswith(("./", "../"))


def is_path(remote: str) -> bool:
    """Whether a repository is named by a path of the orchestrator's container, or one beside the configuration file."""
    return is_relative(remote) or remote.removeprefix("file://").startswith("/")


def path_of(remote: str, folder: Path) -> str:
    """The path that a remote names, which is one. `folder` is the configuration file's."""
    path = remote.removeprefix("file://")
    return posixpath.normpath(str(folder / path)) if is_relative(remote) else path


def missing_folder(remote: str, folder: Path) -> tuple[str, str]:
    """That the orchestrator's container lacks a folder of this repository, and what to do; empty if it has them, or it
    is a URL."""
    if not is_path(remote):
        return "", ""
    path = path_of(remote, folder)
    if not os.path.exists(path):
        if is_relative(remote) and Path(path).is_relative_to(folder):
            says = f"The repository {remote} does not exist beside the configuration file."
            return says, "Correct update.git.remote, or clone the repository there."
        # Compose takes relative paths from the folder of its file, which is the configuration file's.
        host = remote if is_relative(remote) else path
        return f"The repository {remote} does not exist in the orchestrator's container.", _mount(host, path)
    for what, needed in _elsewhere(Path(path)):
        if not os.path.exists(needed):
            return (
                f"The repository {remote} {what} {needed}, which does not exist in the orchestrator's container.",
                _mount(needed, needed),
            )
    return "", ""


def _mount(host: str, path: str) -> str:
    return (
        f"A path of the host must be mounted: add '{host}:{path}:ro' to the volumes of the orchestrator in a "
        "compose.override.yaml, then run make up."
    )


def _elsewhere(path: Path) -> list[tuple[str, str]]:
    """The folders outside of a repository that it needs, and for what."""
    git, found = path / ".git", list[tuple[str, str]]()
    if git.is_file():
        named = _lines(git)[0].removeprefix("gitdir:").strip() if _lines(git) else ""
        git = Path(posixpath.normpath(path / named))
        # That of a worktree is in the one of the repository that it is of (gitrepository-layout(5)).
        whole = git.parent.parent if git.parent.name == "worktrees" else git
        found.append(("is a worktree or a submodule, whose history is in", str(whole)))
        git = whole
    objects = (git if git.is_dir() else path) / "objects"
    for line in _lines(objects / "info" / "alternates"):
        found.append(("shares the objects in", posixpath.normpath(objects / line)))
    return found


def _lines(file: Path) -> list[str]:
    try:
        with file.open(errors="replace") as opened:
            return [line for line in opened.read(MOST_OF_POINTER).splitlines() if line and not line.startswith("#")]
    except OSError:
        return []

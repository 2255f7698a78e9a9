"""Symbolic links in archives of strangers: they stay inside, and where they lead is found in a time that is linear."""

from __future__ import annotations

import os
import posixpath
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

OUTSIDE = "which leads outside of the archive"
MOST_OF_WAY, MOST_OF_PATH = 40, 4096
"""Links on the way from a link to where it leads, and characters of the path there: Linux follows no more of them
(path_resolution(7), limits.h)."""
MOST_OF_TEXTS = 8 * 2**20
"""Characters of all links together. Each part of each is looked up on the disk."""


def refuse_links_out(members: Iterable[tarfile.TarInfo]) -> None:
    """Raises tarfile.ExtractError for a symbolic link whose text leads out of the archive, or that is of no use because
    Linux does not follow it. What a link reaches by other links is looked at by tarfile, when it is unpacked."""
    links: dict[str, str] = {}
    for member in (one for one in members if one.issym()):
        name = posixpath.normpath(member.name)
        if links.setdefault(name, member.linkname) != member.linkname:
            raise tarfile.ExtractError(f"{member.name!r} is in it as two different links")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.linkname))
        if member.linkname.startswith("/") or target == ".." or target.startswith("../"):
            raise tarfile.ExtractError(f"{member.name!r} is a link to {member.linkname[:100]!r}, {OUTSIDE}")
    if sum(map(len, links.values())) > MOST_OF_TEXTS:
        raise tarfile.ExtractError(f"its links have more than {MOST_OF_TEXTS // 2**20} MiB")
    ways = _Ways(links)
    for name in links:
        ways.end_of(name)


class _Ways:
    """Where links lead by one another: each is looked at once. Nothing is below a link (archive.py)."""

    def __init__(self, links: Mapping[str, str]) -> None:
        self._links = links
        self._known: dict[str, tuple[str, int]] = {}

    def end_of(self, name: str, before: int = 0) -> tuple[str, int]:
        """The path, and how many links are on the way to it, this one included. `before`: how many led here. Raises
        tarfile.ExtractError."""
        if found := self._known.get(name):
            return found
        if before >= MOST_OF_WAY:
            raise _too_far(name)
        self._known[name] = name, 1  # one that leads to itself leads nowhere
        at, passed = posixpath.dirname(name), 1
        for part in self._links[name].split("/"):
            at = posixpath.dirname(at) if part == ".." else posixpath.join(at, part) if part not in ("", ".") else at
            if at in self._links:
                at, more = self.end_of(at, before + 1)
                passed += more
            if before + passed > MOST_OF_WAY or len(at) > MOST_OF_PATH:
                raise _too_far(name)
        self._known[name] = at, passed
        return at, passed


def _too_far(name: str) -> tarfile.ExtractError:
    return tarfile.ExtractError(f"{name[:100]!r} is a link by way of too many links, or to a path that is too long")


def refuse_links_out_of(folder: Path, links: Iterable[Path]) -> None:
    """Raises tarfile.ExtractError for a link that leads out of the only folder of the archive, which alone is kept:
    tarfile takes what is beside it for a part of the archive."""
    kept = os.path.realpath(folder)
    for link in links:
        target = os.path.realpath(link)
        if target != kept and not target.startswith(f"{kept}{os.sep}"):
            raise tarfile.ExtractError(f"{str(link.relative_to(folder.parent))!r} is a link, {OUTSIDE}")

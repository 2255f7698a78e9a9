"""Files that a repository keeps in Git LFS: pointers in the commit are replaced by what they stand for.

They are fetched by `lfs_download.py`, or by the client git-lfs (git-lfs(1)) from a path. What was fetched is
written here, after it was compared with the pointer. Filters of the client run no program, because the tree is not a
working tree of git.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from border.plain import plain
from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.unsupported import lfs_pointers

Git = Callable[..., Awaitable[str]]

MOST_OF_POINTER = 1024
"""Bytes; a longer file is no pointer (git-lfs, docs/spec.md)."""
MOST_OF_FREE = 0.9
"""So much of the free disk space they may take."""
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-[^\n]*\n)*oid sha256:([0-9a-f]{64})\nsize (\d{1,18})\n?"
)


@dataclass(frozen=True)
class Pointer:
    """A file of a tree that stands for another one."""

    file: Path
    oid: str
    size: int


async def pointers_in(git: Git, commit: str, paths: Sequence[str], tree: Path) -> list[Pointer]:
    """The pointers of the commit in the tree that was written from it."""
    names = await lfs_pointers(git, commit, paths)
    return await to_its_end(asyncio.to_thread(_read, names, tree))


def _read(names: Iterable[str], tree: Path) -> list[Pointer]:
    found = []
    for name in names:
        file = tree / name
        if not _is_own_file(tree, file) or file.stat().st_size >= MOST_OF_POINTER:
            continue
        if parts := _POINTER.fullmatch(file.read_bytes()):
            found.append(Pointer(file, parts[1].decode(), int(parts[2])))
    return found


def _is_own_file(tree: Path, file: Path) -> bool:
    return file.is_file() and not file.is_symlink() and file.resolve().is_relative_to(tree.resolve())


async def configured_server(git: Git, commit: str) -> str:
    """The server of LFS that the commit's .lfsconfig names (git-lfs-config(5)); empty if it is the remote's own."""
    return (await git("config", "--blob", f"{commit}:.lfsconfig", "--get", "lfs.url", check=False)).strip()


def refuse_too_large(mirror: Path, pointers: Iterable[Pointer], tree: Path) -> None:
    """Raises StepFailed if the disk has no room for what the pointers stand for: a hundred bytes may say any size, and
    any number of files may stand for the same content."""
    needed, new = 0, dict[str, int]()
    for one in pointers:
        needed += one.size
        if not content_of(mirror, one).is_file():
            new[one.oid] = one.size
    needed += sum(new.values())
    free = shutil.disk_usage(tree).free
    if needed > free * MOST_OF_FREE:
        raise StepFailed(
            f"Its files in Git LFS need {needed // 2**20:,} MiB, and the disk has {free // 2**20:,} MiB free.",
            "Free disk space ('changeover doctor' shows its use), or keep what is not built elsewhere.",
        )


def content_of(mirror: Path, pointer: Pointer) -> Path:
    """Where a mirror keeps the content of a file."""
    return mirror / "lfs" / "objects" / pointer.oid[:2] / pointer.oid[2:4] / pointer.oid


def write_contents(mirror: Path, pointers: Iterable[Pointer]) -> None:
    """Replace the pointers by what was fetched into the mirror, and forget what is not of them. Raises StepFailed."""
    wanted = set()
    for one in pointers:
        content = content_of(mirror, one)
        is_known = content in wanted  # its digest was computed already
        wanted.add(content)
        if not content.is_file() or content.stat().st_size != one.size or not (is_known or _digest(content) == one.oid):
            content.unlink(missing_ok=True)  # so that it is fetched again
            raise StepFailed(
                f"The content of {plain(one.file.name)[:200]} in Git LFS was not fetched, or is not the one that the "
                "commit names.",
                "Push it to the server of LFS (git lfs push --all), and deploy again.",
            )
        mode = one.file.stat().st_mode
        shutil.copyfile(content, one.file)
        one.file.chmod(mode)
    for content in (mirror / "lfs" / "objects").glob("??/??/*"):
        if content not in wanted:
            content.unlink()


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

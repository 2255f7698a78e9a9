"""The tree of a commit, before it is written: a small repository may hold one of any size."""

from __future__ import annotations

import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from orchestrator.errors import StepFailed

Git = Callable[..., Awaitable[str]]

MOST_OF_FREE = 0.9
"""So much of the free disk space it may take."""
BLOCK = 4096
"""Bytes that a file takes at least, as an archive or a tree."""


async def refuse_too_large(git: Git, commit: str, folder: Path) -> None:
    """Raises StepFailed if the disk of `folder` has no room for the tree, which is packed first, and then unpacked."""
    listing = await git("ls-tree", "-r", "-l", "-z", commit)
    sizes = [line.partition("\t")[0].split()[-1] for line in listing.split("\0") if line]
    needed = 2 * sum(int(size) + BLOCK for size in sizes if size.isdecimal())  # "-" for a submodule
    free = shutil.disk_usage(folder).free
    if needed > free * MOST_OF_FREE:
        raise StepFailed(
            f"Commit {commit[:12]} needs {needed // 2**20:,} MiB to be unpacked, and the disk has {free // 2**20:,} "
            "MiB free.",
            "Free disk space ('changeover doctor' shows its use), or keep what is not built elsewhere.",
        )

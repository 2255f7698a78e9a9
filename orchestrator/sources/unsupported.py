"""What a Git source does not fetch as it is configured, found before it is built into an image that lacks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from orchestrator.config.local_repository import missing_folder
from orchestrator.errors import StepFailed

Git = Callable[..., Awaitable[str]]

_LFS_POINTER = "version https://git-lfs.github.com/spec/v1"
_GITLINK = "160000"


def refuse_missing_folder(remote: str, folder: Path) -> None:
    """Raises StepFailed for a path that the orchestrator's container does not have. `folder` is the configuration
    file's."""
    cause, remedy = missing_folder(remote, folder)
    if cause:
        raise StepFailed(cause, remedy)


async def refuse_incomplete(git: Git, commit: str, paths: Sequence[str], *, submodules: bool, lfs: bool) -> None:
    """Raises StepFailed if what the commit has at the paths lacks content: submodules, or files that Git LFS stores
    elsewhere, unless these are fetched.

    `git` runs a git command in the mirror.
    """
    listing = await git("ls-tree", "-r", commit, "--", *paths)
    links = [line.partition("\t")[2] for line in listing.splitlines() if line.startswith(_GITLINK)]
    if links and not submodules:
        raise StepFailed(
            f"Commit {commit[:12]} has submodules, which are not fetched: {_some(links)}.",
            "Set update.git.submodules: true, or fetch them in the Dockerfile.",
        )
    if not lfs and (pointers := await lfs_pointers(git, commit, paths)):
        raise StepFailed(
            f"Commit {commit[:12]} has files in Git LFS, which are not fetched: {_some(pointers)}.",
            "Set update.git.lfs: true, commit the files themselves (git lfs migrate export), or fetch them in the "
            "Dockerfile.",
        )


async def lfs_pointers(git: Git, commit: str, paths: Sequence[str]) -> list[str]:
    """The files that stand for others in Git LFS, if the commit uses it: by what they have in them."""
    if not await git("grep", "--files-with-matches", "filter=lfs", commit, "--", "*.gitattributes", check=False):
        return []
    found = await git(
        "grep", "-z", "--files-with-matches", "--fixed-strings", _LFS_POINTER, commit, "--", *paths, check=False
    )
    return [line.partition(":")[2] for line in found.split("\0") if line]


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

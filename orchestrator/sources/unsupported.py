"""What a Git source cannot fetch yet, found before it is built into an image that lacks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from orchestrator.config.preflight import missing_folder
from orchestrator.errors import StepFailed

Git = Callable[..., Awaitable[str]]

_LFS_POINTER = "version https://git-lfs.github.com/spec/v1"
_GITLINK = "160000"


def refuse_missing_folder(remote: str) -> None:
    """Raises StepFailed for a path that the orchestrator's container does not have."""
    cause, remedy = missing_folder(remote)
    if cause:
        raise StepFailed(cause, remedy)


async def refuse_incomplete(git: Git, commit: str, paths: Sequence[str]) -> None:
    """Raises StepFailed if what the commit has at the paths lacks content: submodules, or files that Git LFS stores
    elsewhere.

    `git` runs a git command in the mirror.
    """
    listing = await git("ls-tree", "-r", commit, "--", *paths)
    links = [line.partition("\t")[2] for line in listing.splitlines() if line.startswith(_GITLINK)]
    if links:
        raise StepFailed(
            f"Commit {commit[:12]} has submodules, which are not fetched yet: {_some(links)}.",
            "Commit the files of the submodules into the repository, or fetch them in the Dockerfile.",
        )
    if not await git("grep", "--files-with-matches", "filter=lfs", commit, "--", "*.gitattributes", check=False):
        return
    found = await git(
        "grep", "--files-with-matches", "--fixed-strings", _LFS_POINTER, commit, "--", *paths, check=False
    )
    pointers = [line.partition(":")[2] for line in found.splitlines()]
    if pointers:
        raise StepFailed(
            f"Commit {commit[:12]} has files in Git LFS, which are not fetched yet: {_some(pointers)}.",
            "Commit the files themselves (git lfs migrate export), or fetch them in the Dockerfile.",
        )


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

"""What differs between two commits of a Git mirror: changes, dependencies, and how much was fetched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from border.revision import short
from orchestrator.domain.changelog import Changelog
from orchestrator.host.at_once import at_once
from orchestrator.sources.commits import Git, commits_between
from orchestrator.sources.git_dependencies import dependencies_between


async def changelog_between(
    git: Git, mirror: Path, since: str, until: str, path: str, read: Callable[[str], str]
) -> Changelog:
    """`read` makes text of a commit's message. Raises what `git` does."""
    if (await git("cat-file", "-t", since, check=False)).strip() != "commit":
        return Changelog(
            notes=(f"The live commit {short(since)} is not in the repository any more: what is new is not known.",)
        )
    commits, needs, transferred = await at_once(
        commits_between(git, since, until, path, read),
        dependencies_between(git, mirror, since, until, path),
        _transferred(git, since, until),
    )
    return Changelog(
        changes=commits.changes,
        changes_left_out=commits.left_out,
        dependencies=needs.changes,
        dependencies_left_out=needs.left_out,
        download_bytes=transferred,
        notes=(*commits.notes, *((needs.note,) if needs.note else ())),
    )


async def _transferred(git: Git, since: str, until: str) -> int | None:
    """Bytes of the objects that the one commit has and the other has not, as they are stored: what fetching them took.

    None if the objects cannot be counted, as in a repository with a part of its history.
    """
    found = (await git("rev-list", "--objects", "--disk-usage", f"{since}..{until}", check=False)).strip()
    return int(found) if found.isdecimal() else None

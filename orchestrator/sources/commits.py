"""The commits between two releases, as changes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from border.revision import short
from orchestrator.domain.changelog import MOST_CHANGES
from orchestrator.domain.counted import counted
from orchestrator.domain.release import Change
from orchestrator.host.at_once import at_once
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.changelog import parse_commit, without_reverted
from orchestrator.sources.commit_log import FORMAT, CommitLog

MOST_READ = 500
"""So many commits of a log are looked at, for reverts of each other."""
MOST_COMPARED = 500
"""Of so many commits on each side of a history that was rewritten it is found out which are the same changes."""
CHANGES_NO_FILE = "(changes no file)"
"""Said of a commit that was made to have the same files built and deployed again."""

Git = Callable[..., Awaitable[str]]
"""Runs a git command in the mirror, and returns what it printed."""


@dataclass(frozen=True)
class Commits:
    """The newest changes, how many more there are, and what is to be said of the history."""

    changes: tuple[Change, ...]
    left_out: int
    notes: tuple[str, ...]


async def commits_between(git: Git, since: str, until: str, path: str, read: Callable[[str], str]) -> Commits:
    """The newest MOST_CHANGES commits after `since` up to `until` that changed `path`, without merges, and without
    those that revert each other.

    With the whole repository as the path, also those that change no file, which say so. Where the history was
    rewritten, or another branch is followed, they are those after the last commit that both have. `read` makes text of
    a message, which may have any length and any characters.
    """
    span, notes = await _span(git, since, until, path)
    below = () if is_whole(path) else ("--", path)
    log = CommitLog()
    _, total, changes_a_file = await at_once(
        git("log", *span, "--no-merges", f"--max-count={MOST_READ}", FORMAT, *below, on_out=log.feed),
        git("rev-list", *span, "--no-merges", "--count", *below),
        _changes_a_file(git, span, path),
    )
    # In a thread: many long messages take seconds.
    changes, reverted = await to_its_end(asyncio.to_thread(_changes_in, log, read))
    changes = tuple(one if changes_a_file(one.revision) else _without_files(one) for one in changes)
    if reverted:
        notes = (*notes, f"{counted(reverted, 'commit')} that revert each other are not listed.")
    return Commits(changes, max(0, int(total or 0) - reverted - len(changes)), notes)


async def _changes_a_file(git: Git, span: tuple[str, ...], path: str) -> Callable[[str], bool]:
    """Whether a commit of these changes a file. Of those that change a folder, each does."""
    if not is_whole(path):
        return lambda _revision: True
    found = await git(
        "log", *span, "--no-merges", "--full-history", "--format=%H", f"--max-count={MOST_READ}", "--", "."
    )
    return frozenset(found.split()).__contains__


def _changes_in(log: CommitLog, read: Callable[[str], str]) -> tuple[tuple[Change, ...], int]:
    """The newest changes, and how many commits revert each other."""
    commits, reverted = without_reverted(log.commits())
    return tuple(parse_commit(one.revision, read(one.message)) for one in commits[:MOST_CHANGES]), reverted


async def _span(git: Git, since: str, until: str, path: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Which commits are new, as arguments of `git log`, and what is to be said of it."""
    lost = int(await git("rev-list", "--no-merges", "--count", f"{until}..{since}") or 0)
    if not lost and await git("merge-base", since, until, check=False):
        return (f"{since}..{until}",), ()
    new = int(await git("rev-list", "--no-merges", "--count", f"{since}..{until}") or 0)
    has = await git("merge-base", since, until, check=False)
    if not has:
        return (f"{since}..{until}",), (
            f"The history was replaced: no commit of it is in that of the live commit {short(since)}, so that all are "
            "listed as new.",
        )
    span: tuple[str, ...] = (f"{since}..{until}",)
    if lost <= MOST_COMPARED and new <= MOST_COMPARED:
        # The same changes as other commits, as after a rebase, are not new.
        span = ("--cherry-pick", "--right-only", f"{since}...{until}")
        gone = await git("rev-list", "--no-merges", "--cherry-pick", "--right-only", "--count", f"{until}...{since}")
        lost = int(gone or 0)
    what = (
        f"{counted(lost, 'commit')} of the live release {'is' if lost == 1 else 'are'} not in this one"
        if lost
        else "it has the same changes in other commits"
    )
    return span, (
        f"The history was rewritten, or another branch is followed, since the live commit {short(since)}: {what}.",
    )


def is_whole(path: str) -> bool:
    """Whether a path in a repository is the repository."""
    return path in (".", "")


def _without_files(change: Change) -> Change:
    return replace(change, subject=f"{change.subject} {CHANGES_NO_FILE}".lstrip())

"""The commits between two releases, as changes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from orchestrator.domain.release import Change
from orchestrator.sources.changelog import parse_commit

MOST_CHANGES = 200
CHANGES_NO_FILE = "(changes no file)"
"""Said of a commit that was made to have the same files built and deployed again."""


async def changes_between(
    git: Callable[..., Awaitable[str]], since: str, until: str, path: str, read: Callable[[str], str]
) -> tuple[Change, ...]:
    """The newest MOST_CHANGES commits after `since` up to `until` that changed `path`, without merges.

    With the whole repository as the path, also those that change no file, which say so. `git` runs git in the
    repository; `read` makes text of a message, which may have any length and any characters.
    """
    span = ("log", f"{since}..{until}", "--no-merges", f"--max-count={MOST_CHANGES}")
    log = await git(*span, "--format=%h%x00%B%x01", *(() if is_whole(path) else ("--", path)))
    entries = (entry.strip("\n").split("\0", 1) for entry in log.split("\x01") if "\0" in entry)
    changes = tuple(parse_commit(revision, read(message)) for revision, message in entries)
    if not is_whole(path):
        return changes
    with_files = set((await git(*span, "--full-history", "--format=%h", "--", ".")).split())
    return tuple(one if one.revision in with_files else _without_files(one) for one in changes)


def is_whole(path: str) -> bool:
    """Whether a path in a repository is the repository."""
    return path in (".", "")


def _without_files(change: Change) -> Change:
    return replace(change, subject=f"{change.subject} {CHANGES_NO_FILE}".lstrip())

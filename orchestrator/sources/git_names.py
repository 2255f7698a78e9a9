"""Names in a Git mirror: the commit that a name stands for, and the version by which a commit is shown."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable

import structlog
from packaging.specifiers import SpecifierSet

from border.plain import plain
from orchestrator.domain.source_names import is_commit
from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.versions import COMMIT, SEMVER, Scheme, is_in, is_prerelease, newest_first

log = structlog.get_logger()

MOST_TAGS = 20_000
"""Of a repository that has more tags that match, the newest ones are looked at."""
Git = Callable[..., Awaitable[str]]
"""Runs a git command in the mirror, and returns what it printed."""

DEFAULT_BRANCH = "refs/default-branch"
"""Where the mirror keeps the remote's HEAD: not among the branches, of which one may be named HEAD."""
_ABBREVIATED = re.compile(r"[0-9a-f]{4,63}")
_SHOWN_DIGITS = 7
"""Commits are shown with so many digits, or more. A branch with such a name is none by chance."""
_OF_A_VERSION = ("--match=v[0-9]*", "--match=[0-9]*")
"""Tags that mark something else name no release."""


async def commit_named(git: Git, name: str) -> str:
    """The commit of the branch, tag or commit with this name, `HEAD` for the default branch; empty if there is none.

    The whole name of a commit is that commit alone: everybody who can push can give its name to a branch or tag, and
    what was confirmed would not be what is deployed. Raises StepFailed for an abbreviated one that is also the name of
    a branch or tag.
    """
    if is_commit(name):
        return await _commit(git, name)
    if name == "HEAD":
        return await _commit(git, DEFAULT_BRANCH)
    found = await _commit(git, f"refs/remotes/origin/{name}") or await _commit(git, f"refs/tags/{name}")
    if not _ABBREVIATED.fullmatch(name):
        return found
    if not found:
        return await _commit(git, name)
    if len(name) >= _SHOWN_DIGITS:
        await _refuse_two_meanings(git, name, found)
    return found


def follows(pattern: str, version_range: str | None, scheme: Scheme = SEMVER) -> Callable[[str], bool]:
    """Whether a tag that matches the pattern is followed: none of a pre-release, unless the pattern has a `-` or the
    range names it; and only those in the range, if there is one."""
    if version_range:
        wanted = SpecifierSet(version_range)
        return lambda tag: is_in(tag, wanted)
    return lambda tag: scheme == COMMIT or "-" in pattern or not is_prerelease(tag, scheme)


async def tags_in_order(git: Git, pattern: str, scheme: Scheme) -> list[str]:
    """The tags that match, the newest first; of those that have an order by versions. At most MOST_TAGS."""
    if scheme == COMMIT:
        return await _tags(git, pattern, MOST_TAGS, "--sort=-creatordate")
    listed = await _tags(git, pattern, MOST_TAGS + 1)
    if len(listed) > MOST_TAGS:
        log.warning("a repository has too many tags: the newest by their dates are looked at", most=MOST_TAGS)
        listed = await _tags(git, pattern, MOST_TAGS, "--sort=-creatordate")
    # In a thread: thousands take half a second.
    return await to_its_end(asyncio.to_thread(newest_first, listed, scheme))


async def _tags(git: Git, pattern: str, most: int, *order: str) -> list[str]:
    listed = await git("for-each-ref", *order, f"--count={most}", "--format=%(refname:strip=2)", f"refs/tags/{pattern}")
    return listed.split()


async def newest_tag(
    git: Git, pattern: str, scheme: Scheme = SEMVER, version_range: str | None = None
) -> tuple[str, str]:
    """The newest version among the tags that match and are followed, and its commit; both are empty if there is none.
    A branch may have the same name. With the scheme `commit` it is the newest by its date, whatever it is called."""
    order, followed = await tags_in_order(git, pattern, scheme), follows(pattern, version_range, scheme)
    # In a thread, too: none of them may be followed.
    tag = await to_its_end(asyncio.to_thread(lambda: next(filter(followed, order), "")))
    return (tag, await _commit(git, f"refs/tags/{tag}")) if tag else ("", "")


async def version_of(git: Git, commit: str) -> str:
    """The version of a commit: by the last tag of a version before it, else by the number of commits, so that versions
    can be ordered. Raises StepFailed."""
    described = await git("describe", "--tags", *_OF_A_VERSION, "--abbrev=7", commit, check=False)
    if version := plain(described.strip()):
        return version
    count = (await git("rev-list", "--count", commit)).strip()
    return f"v0.0.{count}-g{commit[:7]}"


async def _commit(git: Git, name: str) -> str:
    return (await git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", check=False)).strip()


async def _refuse_two_meanings(git: Git, name: str, found: str) -> None:
    """`found` is the commit of the branch or tag of this name."""
    objects = (await git("rev-parse", f"--disambiguate={name}", check=False)).split()
    for other in objects:
        if other != found and (await git("cat-file", "-t", other)).strip() == "commit":
            raise StepFailed(
                f"'{name}' is the name of a branch or tag at {found[:12]}, and the beginning of commit {other}.",
                "Name the whole commit.",
            )

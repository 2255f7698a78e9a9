"""The versions that a Git mirror has: its tags, or the last commits of a branch."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from border.plain import plain
from orchestrator.config.source_schema import GitSource
from orchestrator.errors import StepFailed
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.base import SourceVersion, followed_first
from orchestrator.sources.commits import is_whole
from orchestrator.sources.git_names import Git, commit_named, follows, newest_tag, tags_in_order, version_of
from orchestrator.sources.versions import Scheme

MOST_COMMITS = 20
"""Each is asked for its version by itself."""
_TAGS = "--format=%(refname:strip=2)%00%(creatordate:unix)"


async def newest_followed(git: Git, settings: GitSource, scheme: Scheme, origin: str) -> tuple[str, str]:
    """The newest tag that is followed, and its commit. Raises StepFailed; `origin` is the repository, for people."""
    pattern, wanted = settings.tags or "*", settings.version_range
    tag, commit = await newest_tag(git, pattern, scheme, wanted)
    if commit:
        return tag, commit
    within, key = (f" in the range {wanted}", " or update.git.version_range") if wanted else ("", "")
    raise StepFailed(
        f"{origin} has no tag that is a version{within} and matches '{pattern}'.",
        f"Correct update.git.tags{key}, or push such a tag.",
    )


async def versions_of(git: Git, settings: GitSource, scheme: Scheme) -> tuple[SourceVersion, ...]:
    """The tags that are versions, where tags are followed, or else the last commits of the branch."""
    if settings.tags:
        return await tagged_versions(git, settings.tags, settings.version_range, scheme)
    commit = await commit_named(git, settings.branch or "HEAD")
    return await committed_versions(git, commit, settings.path) if commit else ()


async def tagged_versions(
    git: Git, pattern: str, version_range: str | None, scheme: Scheme
) -> tuple[SourceVersion, ...]:
    """Of the tags that match the pattern, those that are versions; pre-releases, too."""
    known, followed = await tags_in_order(git, pattern, scheme), follows(pattern, version_range, scheme)
    order = dict(await to_its_end(asyncio.to_thread(followed_first, known, followed)))
    listed = (await git("for-each-ref", _TAGS, *(f"refs/tags/{tag}" for tag in order))).splitlines() if order else []
    dates = dict(line.split("\0", 1) for line in listed if "\0" in line)
    return tuple(SourceVersion(plain(tag), tag, _moment(dates[tag]), order[tag]) for tag in order if tag in dates)


async def committed_versions(git: Git, commit: str, path: str) -> tuple[SourceVersion, ...]:
    """The last commits up to this one, of those that changed the folder `path`. Raises StepFailed."""
    within = () if is_whole(path) else ("--", path)
    listed = await git("log", f"--max-count={MOST_COMMITS}", "--format=%H %ct", commit, *within)
    return tuple(
        [
            SourceVersion(await version_of(git, one), one, _moment(moment))
            for one, _, moment in (line.partition(" ") for line in listed.splitlines())
        ]
    )


def _moment(seconds: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return None

"""The newest release that somebody wants: where the newest of all is skipped or too young, one before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from orchestrator.apps.context import AppContext
from orchestrator.domain.release import Release
from orchestrator.sources.base import SourceRelease
from orchestrator.updates.wanted import Wanted

IsOlder = Callable[[AppContext, Release], Awaitable[bool]]


async def newest_wanted(
    context: AppContext, newest: SourceRelease, live: str, wanted: Wanted, is_older: IsOlder
) -> SourceRelease:
    """The newest release that is neither skipped nor too young, if the source has one that comes after the `live` one;
    else the newest of all, of which is said why it is not offered. Where releases come often, none would ever be old
    enough; and one that is skipped is no reason to stay with what came long before it. Raises StepFailed.
    """
    app, policy = context.name, context.config.update
    if wanted.may_be_offered(app, policy, newest.release.version, newest.released_at):
        return newest
    for one in await context.source.versions():
        if not one.is_followed or not wanted.may_be_offered(app, policy, one.version, one.released_at):
            continue
        found = await context.source.newest(one.ref)
        # What it is called by its source may be another name than that of the list, or one more of the same release.
        is_same = found.release.source_revision == newest.release.source_revision
        if is_same or not wanted.may_be_offered(app, policy, found.release.version, found.released_at):
            continue
        is_live = found.release.source_revision == live
        return newest if is_live or await is_older(context, found.release) else found
    return newest

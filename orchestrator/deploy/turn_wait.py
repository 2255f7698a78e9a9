"""How a queued deployment waits for the end of the one before, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from orchestrator.apps.context import AppContext
from orchestrator.clock import elapsed
from orchestrator.deploy.lane import Lane
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.drain_events import Waiting
from orchestrator.domain.events import Occurrence

TELL_AFTER_S = 1.0
TELL_EVERY_S = 5.0


def drains_in_words(context: AppContext, live: Deployment) -> str:
    """For `Lane.drains`: what is drained after `live` went live, and how long that takes at most."""
    limit = context.config.drain.timeout
    return (
        f"The release before {live.version} finishes what it has in hand, for at most {limit:g} s (drain.timeout). "
        "Then the standby is made ready for a rollback."
    )


async def until_retired(lane: Lane, tell: Callable[[Occurrence, Deployment], Awaitable[None]]) -> None:
    """Wait until the old colour is retired: its container is the standby, which the next deployment would replace.

    Says after a second, and then every five, what is waited for and since when.
    """
    started, pause = elapsed(), TELL_AFTER_S
    while lane.retiring and lane.is_retiring:
        done, _ = await asyncio.wait([lane.retiring], timeout=pause)
        if not done and lane.waiting:
            await tell(Waiting(f"{lane.drains} It has waited for {elapsed() - started:.0f} s."), lane.waiting)
        pause = TELL_EVERY_S

"""Ends of deployments that are on record and were not told: the orchestrator was killed between the two."""

from __future__ import annotations

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.events import (
    Cancelled,
    EventKind,
    Failed,
    Live,
    Occurrence,
    Restored,
    Superseded,
    Unchanged,
)
from orchestrator.events.stream import EventStream

NEWEST = 20
"""So many deployments of an app are looked at: one runs at a time, and a few can be superseded by it."""
ENDS = frozenset(
    {EventKind.LIVE, EventKind.RESTORED, EventKind.FAILED, EventKind.CANCELLED}
    | {EventKind.SUPERSEDED, EventKind.UNCHANGED}
)


async def tell(context: AppContext, events: EventStream) -> None:
    """Publish the ends that nobody was told of. Whoever follows these deployments waits for them.

    Raises JournalError; may be tried again.
    """
    journal = context.journal
    newest = await journal.beside(journal.deployments, context.name, NEWEST)
    told = await journal.beside(journal.with_event, [one.id for one in newest], ENDS)
    for one in reversed(newest):
        if one.id not in told and (happened := _end_of(one)):
            await events.publish(happened, context.name, one.id)


def _end_of(one: Deployment) -> Occurrence | None:
    """None for one that has not ended, or that a rebuilt journal has from its container."""
    step, cause = (one.failure.step, one.failure.cause) if one.failure else ("", "")
    match one.state:
        case State.LIVE if one.started_at and one.kind is not Kind.DEPLOY and one.ref:
            return Restored(one.ref, one.backup, one.paused_s)
        case State.LIVE if one.started_at:
            rolled_back = one.kind is Kind.ROLLBACK
            return Live(one.seconds_to_live, one.colour, rolled_back, one.paused_s, recovered=True)
        case State.FAILED:
            return Failed(step, cause)
        case State.CANCELLED:
            return Cancelled(step, cause)
        case State.SUPERSEDED:
            return Superseded()
        case State.UNCHANGED:
            return Unchanged(one.version)
        case _:
            return None

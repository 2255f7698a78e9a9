"""Whether an active container is lost: removed, paused, or disconnected by hand."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.engine.base import LABEL_DEPLOYMENT, LABEL_ROLE, Placed, Role


async def is_still_lost(context: AppContext, found: Sequence[Placed]) -> bool:
    """As `is_lost`, of the release that is active now. One that is not among `found` is looked for again: what was seen
    before other apps were looked at may be older than it. Raises EngineError or JournalError."""
    active = context.active
    if active is None or not is_lost(active, found):
        return False
    again = await context.engine.placed()
    now = context.active
    return now is not None and now.id == active.id and is_lost(active, again)


def is_out_of_place(status: Placed, active: Deployment) -> bool:
    """Whether an active container that exists does not run, or not at the address at which the proxy looks for it."""
    return not status.running or status.paused or bool(active.address and status.address != active.address)


def is_lost(active: Deployment, found: Sequence[Placed]) -> bool:
    """Whether of these containers none is the active one in its place: it was removed, paused or disconnected by hand.

    One that has ended is started by failover.
    """
    apps = [one for one in found if one.labels.get(LABEL_ROLE) == Role.APP]
    mine = [one for one in apps if one.labels.get(LABEL_DEPLOYMENT) == active.id]
    return all(one.running and is_out_of_place(one, active) for one in mine)

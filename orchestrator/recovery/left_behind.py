"""Containers that work which has ended could not remove, because the engine was away: a candidate, a sidecar.

A candidate that runs on works on the data beside the live release. It is removed as soon as the engine is back, not
only by the next deployment.
"""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.deployment import State
from orchestrator.engine.base import LABEL_APP, LABEL_DEPLOYMENT, LABEL_ROLE, Placed, Role
from orchestrator.errors import EngineError

log = structlog.get_logger()


async def remove(context: AppContext, found: Iterable[Placed], scheduler: Scheduler) -> None:
    """Remove what is left of the app among the containers `found`, unless something of the app is under way.

    What cannot be removed is logged; the next look finds it again. Raises JournalError.
    """
    if not _left(context, found) or scheduler.doing(context.name):
        return
    async with scheduler.turn_of(context.name):
        drained_later = await _drained_later(context)
        try:
            for container in _left(context, await context.engine.containers(context.name)):
                if _of(container) not in drained_later:
                    await _remove(context, container)
        except EngineError as error:
            log.warning("what a deployment has left is not removed yet", app=context.name, cause=error.cause)


async def _remove(context: AppContext, container: Placed) -> None:
    stop_timeout = context.config.drain.stop_timeout
    if _is_kept(context, container):
        await context.engine.stop(container.name, stop_timeout)
    else:
        await context.engine.remove(container.name, stop_timeout)
    log.warning("removed what a deployment has left", app=context.name, container=container.name)


async def _drained_later(context: AppContext) -> set[str]:
    """The deployments whose containers may still finish requests: those that took their traffic are not retired."""
    unfinished = await context.journal.beside(context.journal.unfinished)
    return {one.previous for one in unfinished if one.app == context.name and one.state is State.LIVE}


def _left(context: AppContext, found: Iterable[Placed]) -> list[Placed]:
    """The containers of the app that are neither active nor standby, and for whose end nobody waits."""
    slots, at_work = context.journal.slots(context.name), context.engine.sidecars_at_work()
    left = [
        one
        for one in found
        if one.labels.get(LABEL_APP) == context.name
        and one.name not in at_work
        and not (_is_release(one) and _of(one) in (slots.active, slots.standby))
    ]
    return [one for one in left if one.running or not _is_kept(context, one)]


def _is_kept(context: AppContext, container: Placed) -> bool:
    """Whether it is a candidate that a person wants to examine, stopped (`auto_rollback_on_failure`)."""
    return _is_release(container) and not context.config.update.rollback.auto_rollback_on_failure


def _is_release(container: Placed) -> bool:
    return container.labels.get(LABEL_ROLE) == Role.APP


def _of(container: Placed) -> str:
    return container.labels.get(LABEL_DEPLOYMENT, "")

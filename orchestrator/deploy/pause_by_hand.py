"""Pausing and resuming the requests of an app because a person asks for it."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.apps import pause
from orchestrator.apps.context import AppContext
from orchestrator.deploy.lane import Lane
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import Refused


async def pause_requests(context: AppContext, lane: Lane, limit_s: float) -> None:
    """Pause them. Refused while work has paused them. Raises Refused, ProxyError, and JournalError as below."""
    _refuse_while_at_work(context, lane, await _holder(context, lane))
    await context.proxy.pause(context.name, limit_s)


async def resume_requests(context: AppContext, lane: Lane) -> None:
    """Let them go.

    Refused while work, or its recovery, is under way and holds them: only its own end may let them go, because what is
    written before that would be lost with the data that it replaces. If nothing is under way, as between the tries of a
    recovery that fails, it is recorded first that they were let go: what is written since then is not undone any more.
    Raises Refused, ProxyError, and JournalError if something is interrupted and not undone yet.
    """
    held_by = await _holder(context, lane)
    _refuse_while_at_work(context, lane, held_by)
    if held_by is None:
        await context.proxy.resume(context.name)
        return
    async with lane.turn:
        resumed = replace(held_by, resumed_at=context.journal.timing.moment(held_by.id))
        await context.journal.beside(context.journal.save, resumed)
        await context.proxy.resume(context.name)


async def _holder(context: AppContext, lane: Lane) -> Deployment | None:
    """The work that has paused the requests. The journal is asked only if something is interrupted and not undone."""
    if lane.recovered.is_set():
        return lane.running if pause.holds(context, lane.running) else None
    unfinished = await context.journal.beside(context.journal.unfinished)
    return next((one for one in unfinished if one.app == context.name and pause.holds(context, one)), None)


def _refuse_while_at_work(context: AppContext, lane: Lane, work: Deployment | None) -> None:
    if work is not None and lane.turn.locked():
        raise Refused(
            f"{work.kind_in_words.capitalize()} {work.id} has paused the requests of {context.name} while it changes "
            "the data.",
            f"They go on by themselves when it has ended. What it is doing: changeover show {work.id}. To end it "
            f"earlier: changeover cancel {work.id}",
        )

"""Pausing and resuming the requests of one app while its data changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from orchestrator.apps import one_off
from orchestrator.apps.context import AppContext
from orchestrator.apps.drain import drain, record_cut
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import Refused

PAUSE_LIMIT_S = 300.0
"""The longest time that a paused request waits, in seconds. Then it is answered with status 503."""


async def pause(context: AppContext, deployment: Deployment) -> Deployment:
    """Let one-off commands end, pause new requests, and drain the active release, so that nobody writes data.

    Long-lived connections are cut, not waited for; requests do not wait for one-off commands. Returns the deployment
    with `paused_at` and what was cut.
    Raises JournalError, ProxyError or EngineError.
    """
    await one_off.let_end(context, by=deployment)
    await one_off.remove_forgotten(context)
    paused = replace(deployment, paused_at=context.journal.timing.moment(deployment.id))
    await context.journal.beside(context.journal.save, paused)
    await context.proxy.pause(context.name, PAUSE_LIMIT_S)
    context.say(deployment.id, "requests are paused while the data changes")
    active = context.journal.deployment(deployment.previous)
    cut = await drain(context, active, said_by=deployment, paused=True)
    paused = await record_cut(context, paused, cut, paused=True)
    if (standby := context.standby) and context.proxy.route(context.name).failed_over:
        cut = await drain(context, standby, said_by=deployment, paused=True)
        paused = await record_cut(context, paused, cut, paused=True)
    return paused


async def resume(context: AppContext, deployment: Deployment) -> Deployment:
    """Resume the requests that this deployment has paused, and record when. Does nothing if none are paused.

    Returns the deployment with `resumed_at`. Raises ProxyError or JournalError.
    """
    if deployment.paused_at is None or deployment.resumed_at is not None:
        return deployment
    await context.proxy.resume(context.name)
    resumed = replace(deployment, resumed_at=context.journal.timing.moment(deployment.id))
    await context.journal.beside(context.journal.save, resumed)
    return resumed


def holds(context: AppContext, work: Deployment | None) -> bool:
    """Whether this work has paused requests and not resumed them, although a person may have. Raises JournalError."""
    known = context.journal.deployment(work.id) if work else None
    return known is not None and known.paused_at is not None and known.resumed_at is None


async def pause_by_hand(context: AppContext, turn: asyncio.Lock, limit_s: float) -> None:
    """Pause the requests, because a person asks for it. `turn` as in resume_by_hand. Raises Refused or ProxyError."""
    _refuse_while_held(context, await _holder(context), turn)
    await context.proxy.pause(context.name, limit_s)


async def resume_by_hand(context: AppContext, turn: asyncio.Lock) -> None:
    """Let the requests go, because a person asks for it.

    Refused while work, or its recovery, has the app's `turn` and holds them: only its own end may let them go, because
    what is written before that would be lost with the data that it replaces. If nothing is at work, as while a recovery
    fails, it is recorded first that they were let go: what is written since then is not undone any more. Raises
    Refused, ProxyError or JournalError.
    """
    held_by = await _holder(context)
    _refuse_while_held(context, held_by, turn)
    if held_by is None:
        await context.proxy.resume(context.name)
        return
    async with turn:
        resumed = replace(held_by, resumed_at=context.journal.timing.moment(held_by.id))
        await context.journal.beside(context.journal.save, resumed)
        await context.proxy.resume(context.name)


async def _holder(context: AppContext) -> Deployment | None:
    """The unfinished work of the app that has paused its requests. Raises JournalError."""
    unfinished = await context.journal.beside(context.journal.unfinished)
    return next((one for one in unfinished if one.app == context.name and holds(context, one)), None)


def _refuse_while_held(context: AppContext, work: Deployment | None, turn: asyncio.Lock) -> None:
    if work is not None and turn.locked():
        raise Refused(
            f"{work.kind_in_words.capitalize()} {work.id} has paused the requests of {context.name} while it changes "
            "the data.",
            f"They go on by themselves when it has ended. What it is doing: changeover show {work.id}. To end it "
            f"earlier: changeover cancel {work.id}",
        )

"""Pausing and resuming the requests of one app while its data changes."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.apps import one_off
from orchestrator.apps.context import AppContext
from orchestrator.apps.drain import drain, record_cut
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import ProxyError
from orchestrator.journal.retry import patiently

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


async def resume_patiently(context: AppContext, deployment: Deployment) -> Deployment:
    """Resume the requests that this deployment has paused, once, and record when. Does nothing if none are paused.

    Waits, without limit, for a proxy that is away, and says so; then for a journal that is away: requests go on by
    then. Returns the deployment with `resumed_at`.
    """
    if deployment.paused_at is None or deployment.resumed_at is not None:
        return deployment
    told = ""

    async def let_go() -> None:
        nonlocal told
        try:
            await context.proxy.resume(context.name)
        except ProxyError as error:
            if str(error) != told:
                told = str(error)
                context.say(deployment.id, f"requests are not resumed for certain, which is tried again: {told}")
            raise

    await patiently(let_go, away=(ProxyError,))
    resumed = replace(deployment, resumed_at=context.journal.timing.moment(deployment.id))
    await patiently(lambda: context.journal.beside(context.journal.save, resumed))
    return resumed


def holds(context: AppContext, work: Deployment | None) -> bool:
    """Whether this work has paused requests and not resumed them, although a person may have. Raises JournalError."""
    known = context.journal.deployment(work.id) if work else None
    return known is not None and known.paused_at is not None and known.resumed_at is None

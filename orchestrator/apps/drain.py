"""Draining a colour after a switch or a pause."""

from __future__ import annotations

import asyncio

from orchestrator.apps.context import AppContext
from orchestrator.clock import elapsed
from orchestrator.domain.deployment import Deployment

POLL_S = 0.1


async def drain(context: AppContext, old: Deployment, said_by: Deployment) -> None:
    """Wait until the colour has no open connections, at most `drain.timeout` seconds, then close those that remain.

    `said_by` is the deployment whose output reports it. Raises EngineError or ProxyError.
    """
    if old.colour is None:
        return
    settings = context.config.drain
    if settings.signal:
        await context.engine.signal(old.container, settings.signal)
    started = elapsed()
    while left := await context.proxy.sessions(context.name, old.colour):
        if elapsed() - started > settings.timeout:
            context.say(
                said_by.id, f"{left} connections to {old.colour} still open after {settings.timeout:g} s: closing them"
            )
            await context.proxy.cut_sessions(context.name, old.colour)
            return
        await asyncio.sleep(POLL_S)
    context.say(said_by.id, f"{old.colour} drained in {elapsed() - started:.1f} s")

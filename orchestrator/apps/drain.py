"""Draining a colour after a switch or a pause."""

from __future__ import annotations

import asyncio

from orchestrator.apps.context import AppContext
from orchestrator.clock import elapsed
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import EngineError

POLL_S = 0.1


async def drain(context: AppContext, old: Deployment, said_by: Deployment) -> None:
    """Wait until the colour has no open connections, at most `drain.timeout` seconds, then close those that remain.

    `said_by` is the deployment whose output reports it. Raises EngineError or ProxyError.
    """
    if old.colour is None:
        return
    settings = context.config.drain
    if settings.signal:
        await _ask_to_finish(context, old, settings.signal, said_by)
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


async def _ask_to_finish(context: AppContext, old: Deployment, signal: str, said_by: Deployment) -> None:
    """Send `drain.signal`. What cannot be sent is told: it must not keep the old colour from being retired."""
    try:
        await context.engine.signal(old.container, signal)
    except EngineError as error:
        context.say(said_by.id, f"the signal {signal} (drain.signal) could not be sent to {old.colour}: {error.cause}")

"""Draining a colour after a switch, or before the data changes: what it has in hand ends, or is cut and told."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, replace

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.clock import elapsed
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.drain_events import Drained, Draining
from orchestrator.domain.events import Occurrence
from orchestrator.domain.in_hand import InHand
from orchestrator.errors import EngineError, JournalError

log = structlog.get_logger()

FIRST_PAUSE_S, LONGEST_PAUSE_S, PAUSE_GROWS = 0.005, 0.1, 1.5
"""HAProxy has no event for the end of a request: it is asked, often at first, because most requests end in milliseconds
and everybody may be waiting for them."""
TELL_AFTER_S = 1.0
TELL_EVERY_S = 5.0
LONG_LIVED_S = 3.0
"""While requests are paused, an answer that began earlier than this is a long-lived connection, in seconds."""
LONG_LIVED_EVERY_S = 0.5
SIGNAL_GRACE_S = 1.0
"""How long an app that gets `drain.signal` may take to close its long-lived connections while requests are paused."""


@dataclass(frozen=True)
class Cut:
    """What draining a colour cut, and how long it took, in seconds."""

    colour: str
    in_hand: InHand
    seconds: float


NOTHING = Cut("", InHand(), 0.0)
"""For a first release: there is no colour to drain."""


async def drain(
    context: AppContext, old: Deployment, said_by: Deployment, *, paused: bool = False, instead: bool = False
) -> Cut | None:
    """Wait until the colour has nothing in hand, at most `drain.timeout` seconds, then cut what remains.

    `paused`: all requests of the app wait for this, so WebSockets and long streams are cut at once, and so is what
    waits for a container that does not run. `instead`: also what the standby has in hand that answered in its place,
    after a crash. `said_by` is the deployment whose output and events report what is waited
    for. Returns None for a deployment without a colour. Raises EngineError or ProxyError.
    """
    if old.colour is None:
        return None
    settings, colour = context.config.drain, old.colour
    if settings.signal:
        await _ask_to_finish(context, old, settings.signal, said_by)
    started, limit = elapsed(), settings.timeout
    tell_at = started + TELL_AFTER_S
    end_long_lived_at = started + (SIGNAL_GRACE_S if settings.signal else 0)
    cut, pause = InHand(), FIRST_PAUSE_S
    while await context.proxy.sessions(context.name, colour, instead=instead):
        waited = elapsed() - started
        if paused and elapsed() >= end_long_lived_at:
            cut += await context.proxy.cut_long_lived(context.name, colour, LONG_LIVED_S)
            end_long_lived_at = elapsed() + LONG_LIVED_EVERY_S
            limit = limit if await _runs(context, old) else 0.0
        if waited > limit:
            cut += await context.proxy.in_hand(context.name, colour, instead=instead)
            await context.proxy.cut_sessions(context.name, colour, instead=instead)
            break
        if elapsed() >= tell_at:
            left = await context.proxy.in_hand(context.name, colour, instead=instead)
            progress = Draining(colour, **asdict(left), waited=waited, limit=settings.timeout, paused=paused)
            await _tell(context, progress, said_by)
            tell_at = elapsed() + TELL_EVERY_S
        await asyncio.sleep(pause)
        pause = min(pause * PAUSE_GROWS, LONGEST_PAUSE_S)
    took = elapsed() - started
    context.say(said_by.id, f"{colour} drained in {took:.1f} s" + (f"; cut: {cut}" if cut.total else ""))
    return Cut(colour, cut, took)


async def _runs(context: AppContext, old: Deployment) -> bool:
    status = await context.engine.status(old.container)
    return status is not None and status.running


async def record_cut(
    context: AppContext, deployment: Deployment, cut: Cut | None, *, paused: bool = False
) -> Deployment:
    """Add what was cut to the deployment, record it, and publish it. Raises JournalError."""
    if cut is None:
        return deployment
    if cut.in_hand.total:
        deployment = replace(deployment, cut=(deployment.cut or InHand()) + cut.in_hand)
        await context.journal.beside(context.journal.save, deployment)
    await _tell(context, Drained(cut.colour, **asdict(cut.in_hand), seconds=cut.seconds, paused=paused), deployment)
    return deployment


async def _tell(context: AppContext, happened: Occurrence, deployment: Deployment) -> None:
    """Publish progress: that it cannot be recorded must not stop the drain."""
    try:
        await context.publish(happened, context.name, deployment.id)
    except JournalError as error:
        log.warning("event not recorded", deployment=deployment.id, cause=error.cause)


async def _ask_to_finish(context: AppContext, old: Deployment, signal: str, said_by: Deployment) -> None:
    """Send `drain.signal`. What cannot be sent is told: it must not keep the old colour from being retired."""
    try:
        await context.engine.signal(old.container, signal)
    except EngineError as error:
        context.say(said_by.id, f"the signal {signal} (drain.signal) could not be sent to {old.colour}: {error.cause}")

"""Letting a colour finish what it has in hand."""

from __future__ import annotations

import asyncio
import time

from orchestrator.model import Deployment
from orchestrator.site import Site

POLL_S = 0.1


async def drain(site: Site, old: Deployment, said_by: Deployment) -> None:
    """Wait until the colour has nothing in hand, at most `drain.timeout`, then cut what is left."""
    if old.colour is None:
        return
    settings = site.app.drain
    if settings.signal:
        await site.engine.signal(old.container, settings.signal)
    started = time.monotonic()
    while left := await site.proxy.sessions(site.name, old.colour):
        if time.monotonic() - started > settings.timeout:
            site.say(
                said_by.id, f"{left} connections to {old.colour} were still open after {settings.timeout:g} s: cut"
            )
            await site.proxy.cut_sessions(site.name, old.colour)
            return
        await asyncio.sleep(POLL_S)
    site.say(said_by.id, f"{old.colour} drained in {time.monotonic() - started:.1f} s")

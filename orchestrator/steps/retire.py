"""Step 10: the old colour drains and stays as standby; what was standby before it goes."""

from __future__ import annotations

import asyncio
import time

from orchestrator.engine.containers import LABEL_APP, LABEL_DEPLOYMENT
from orchestrator.model import Deployment
from orchestrator.site import Site

POLL_S = 0.1
KEEP_IMAGES = 5
"""Images of so many last deployments are kept, and always those of the active release and the standby."""
KEEP_OUTPUT = 20
"""The lines that builds and migrations printed are kept for so many last deployments."""


async def previous(site: Site, deployment: Deployment) -> Deployment:
    await site.proxy.end_preview(site.name)
    slots = site.journal.slots(site.name)
    if slots.standby:
        standby = site.journal.deployment(slots.standby)
        await _drain(site, standby, said_by=deployment)
        await _park(site, standby)
    await remove_strays(site, keep={slots.active, slots.standby})
    await _keep_recent(site)
    return deployment


async def remove_strays(site: Site, keep: set[str]) -> list[str]:
    """Remove every container of the app that neither has the traffic nor is kept for rollback."""
    removed = []
    for container in await site.engine.containers():
        if container.labels.get(LABEL_APP) == site.name and container.labels.get(LABEL_DEPLOYMENT) not in keep:
            await site.engine.remove(container.name, site.app.drain.stop_timeout)
            removed.append(container.name)
    return removed


async def _keep_recent(site: Site) -> None:
    """Let go of images and output of releases that are long past; history itself stays."""
    lived = [one for one in site.journal.deployments(site.name) if one.release and one.release.image]
    slots = site.journal.slots(site.name)
    held = [one for one in lived if one.id in (slots.active, slots.standby)]
    images = {one.release.image for one in [*held, *lived[:KEEP_IMAGES]] if one.release}
    await site.engine.remove_images(site.image_name, keep=images)
    site.journal.forget_output(site.name, keep=KEEP_OUTPUT)


async def _drain(site: Site, old: Deployment, said_by: Deployment) -> None:
    """Wait until the old colour has nothing in hand, at most `drain.timeout`, then cut what is left."""
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


async def _park(site: Site, standby: Deployment) -> None:
    if site.app.standby == "warm":
        await site.proxy.set_fallback(site.name, standby.colour)
        return
    await site.proxy.set_fallback(site.name, None)
    if site.app.standby == "paused":
        await site.engine.pause(standby.container)
    else:
        await site.engine.stop(standby.container, site.app.drain.stop_timeout)

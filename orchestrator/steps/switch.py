"""Step 8: one atomic change at the proxy, read back, and confirmed by a request through it."""

from __future__ import annotations

from dataclasses import replace

from orchestrator import holding
from orchestrator.errors import StepFailed
from orchestrator.journal import now
from orchestrator.model import Deployment, Slots, State
from orchestrator.proxy.routes import Server
from orchestrator.site import Site


async def to_candidate(site: Site, deployment: Deployment) -> Deployment:
    await route_to(site, deployment)
    live = replace(deployment, state=State.LIVE, live_at=now())
    site.journal.save_switch(site.name, Slots(active=live.id, standby=live.previous), live)
    return await holding.release(site, live)


async def to_standby(site: Site, record: Deployment) -> Deployment:
    """A rollback's switch: the standby becomes active, and what was active stands by."""
    standby = site.journal.maker_of(record.container)
    await route_to(site, standby)
    live = replace(record, state=State.LIVE, live_at=now())
    changed = [live, replace(standby, state=State.LIVE)]
    if record.previous:
        left = site.journal.deployment(record.previous)
        changed.append(replace(left, state=State.ROLLED_BACK, ended_at=left.ended_at or now()))
    site.journal.save_switch(site.name, Slots(active=standby.id, standby=record.previous), *changed)
    return await holding.release(site, live)


async def route_to(site: Site, deployment: Deployment) -> None:
    """Send the app's traffic to a deployment's container, and see that it answers there."""
    if deployment.colour is None:
        raise StepFailed(f"Deployment {deployment.id} has no colour.")
    await site.proxy.switch(site.name, deployment.colour, Server(deployment.address, deployment.port))
    await site.proxy.confirm(site.name, deployment.colour, site.app.health.path)


async def back(site: Site, deployment: Deployment) -> str:
    """Undo: the traffic goes to where it was before. It may have been on its way, or not: either is made good."""
    if not deployment.previous:
        await site.proxy.forget_route(site.name)
        return "Took the route back: no release was live before"
    previous = site.journal.deployment(deployment.previous)
    if previous.colour is None:
        raise StepFailed(f"Deployment {previous.id} has no colour.")
    await site.proxy.switch(site.name, previous.colour, Server(previous.address, previous.port))
    return f"The traffic goes to {previous.colour} ({previous.release.version if previous.release else ''})"

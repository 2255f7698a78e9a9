"""Step 10: the old colour drains and stays as standby; what was standby before it goes."""

from __future__ import annotations

from orchestrator import migrating
from orchestrator.draining import drain
from orchestrator.engine.containers import LABEL_APP, LABEL_DEPLOYMENT, LABEL_ROLE, Role
from orchestrator.model import Deployment
from orchestrator.schema import way_to
from orchestrator.site import Site


async def previous(site: Site, deployment: Deployment) -> Deployment:
    await site.proxy.end_preview(site.name)
    slots = site.journal.slots(site.name)
    if slots.standby:
        standby = site.journal.deployment(slots.standby)
        await drain(site, standby, said_by=deployment)
        await _park(site, standby)
    await remove_strays(site, keep={slots.active, slots.standby})
    await _keep_recent(site)
    return deployment


async def remove_strays(site: Site, keep: set[str]) -> list[str]:
    """Remove every container of the app that neither has the traffic nor is kept for rollback."""
    removed = await site.engine.sidecars.remove_strays(site.name)
    for container in await site.engine.containers():
        labels = container.labels
        mine = labels.get(LABEL_APP) == site.name and labels.get(LABEL_ROLE) == Role.APP
        if mine and labels.get(LABEL_DEPLOYMENT) not in keep:
            await site.engine.remove(container.name, site.app.drain.stop_timeout)
            removed.append(container.name)
    return removed


async def _keep_recent(site: Site) -> None:
    """Let go of images, output and build cache of releases that are long past; history itself stays."""
    lived = [one for one in site.journal.deployments(site.name) if one.release and one.release.image]
    slots = site.journal.slots(site.name)
    held = [one for one in lived if one.id in (slots.active, slots.standby)]
    # A rollback across a schema change runs `down` in the image that brought the change.
    if slots.standby:
        way = way_to(site.journal.deployment(slots.standby), site.journal.migrations(site.name))
        held += [maker for one in way.down if (maker := migrating.brought(site, one))]
    images = {one.release.image for one in [*held, *lived[: site.keep.images]] if one.release}
    await site.engine.remove_images(site.image_name, keep=images)
    await site.engine.prune_build_cache(site.keep.build_cache_bytes)
    site.journal.forget_output(site.name, keep=site.keep.output)


async def _park(site: Site, standby: Deployment) -> None:
    can_run = way_to(standby, site.journal.migrations(site.name)).free
    if site.app.standby == "warm" and can_run:
        await site.engine.wake(standby.container)
        await site.proxy.set_fallback(site.name, standby.colour)
        return
    await site.proxy.set_fallback(site.name, None)
    if site.app.standby == "paused" and can_run:
        await site.engine.pause(standby.container)
    else:
        await site.engine.stop(standby.container, site.app.drain.stop_timeout)

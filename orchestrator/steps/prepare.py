"""Step 1: engine, proxy and disk are as they must be, and the deployment has its colour."""

from __future__ import annotations

import shutil
from dataclasses import replace

from orchestrator.errors import StepFailed
from orchestrator.model import Colour, Deployment
from orchestrator.site import Site

MIB = 1024 * 1024


async def everything(site: Site, deployment: Deployment) -> Deployment:
    site.say(deployment.id, f"Docker Engine {await site.engine.version()}, HAProxy {await site.proxy.version()}")
    check_disk(site)
    slots = site.journal.slots(site.name)
    active = site.journal.deployment(slots.active) if slots.active else None
    colour = active.colour.other if active and active.colour else Colour.BLUE
    deployment = replace(deployment, colour=colour, previous=slots.active, port=site.app.run.port)
    return replace(deployment, container=site.container_name(deployment))


def check_disk(site: Site) -> None:
    """Raises StepFailed when less is free than a deployment may need."""
    site.work.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(site.work).free
    if free < site.min_free_bytes:
        raise StepFailed(
            f"Only {free // MIB} MB of disk are free, and a deployment wants {site.min_free_bytes // MIB} MB.",
            "'changeover doctor' shows what takes the room; 'docker builder prune' frees the build cache.",
        )

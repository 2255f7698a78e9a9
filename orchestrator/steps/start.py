"""Step 6: the candidate container, in the idle colour, at an address of its own."""

from __future__ import annotations

from dataclasses import replace

from orchestrator import migrating
from orchestrator.engine.containers import LABEL_MIGRATED, Role
from orchestrator.model import Deployment
from orchestrator.schema import as_json
from orchestrator.site import Site


async def candidate(site: Site, deployment: Deployment) -> Deployment:
    if not deployment.address:
        taken = {server.address for server in site.proxy.route(site.name).servers.values()}
        deployment = replace(deployment, address=await site.engine.free_address(taken))
        site.journal.save(deployment)
    spec = site.container(deployment, Role.APP, deployment.container, site.app.run.command)
    migrated = as_json(migrating.applied_by(site, deployment))
    await site.engine.start(replace(spec, labels=spec.labels | {LABEL_MIGRATED: migrated}))
    site.say(deployment.id, f"{deployment.container} at {deployment.address}:{deployment.port}")
    return deployment


async def standby(site: Site, record: Deployment) -> Deployment:
    """Of a rollback: the container is there, and does not run."""
    await site.engine.wake(record.container)
    return record


async def stop_standby(site: Site, record: Deployment) -> str:
    await site.engine.stop(record.container, site.app.drain.stop_timeout)
    return f"Stopped {record.container} again"


async def remove_candidate(site: Site, deployment: Deployment) -> str:
    if not site.app.update.rollback.auto_rollback_on_failure and await site.engine.status(deployment.container):
        await site.engine.stop(deployment.container, site.app.drain.stop_timeout)
        return f"Left the candidate {deployment.container} stopped, to be looked at until the next deployment"
    removed = await site.engine.remove(deployment.container)
    return f"Removed the candidate {deployment.container}" if removed else ""

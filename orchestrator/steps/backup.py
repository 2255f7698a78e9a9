"""Step 4: a consistent copy of the app's data, before anything changes it."""

from __future__ import annotations

from orchestrator.backups import jobs
from orchestrator.model import Deployment
from orchestrator.site import Site

MIB = 1024 * 1024


async def data(site: Site, deployment: Deployment) -> Deployment:
    """Only where there is data, something that migrates it, and a release whose data it is."""
    policy = site.app.update.backup
    if not (site.app.run.data and site.app.migrate and policy.create_before_update and deployment.previous):
        site.say(deployment.id, "nothing to back up")
        return deployment
    before = site.journal.deployment(deployment.previous)
    manifest = await jobs.create(site, before, reason=f"before deployment {deployment.id}")
    size = f"{manifest.data_size / MIB:.1f} MB in {len(manifest.files)} files"
    site.say(deployment.id, f"backup {manifest.id}: {size}, {manifest.archive_size / MIB:.1f} MB packed")
    return deployment

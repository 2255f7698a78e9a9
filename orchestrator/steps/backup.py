"""Step 4: a consistent copy of the app's data, before anything changes it; and what the new release will change."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from orchestrator import migrating
from orchestrator.backups import jobs
from orchestrator.model import Deployment
from orchestrator.site import Site

MIB = 1024 * 1024


async def data(site: Site, deployment: Deployment) -> Deployment:
    """The app is asked for its pending migrations meanwhile: neither waits for the other unless one depends on it."""
    if site.app.run.data:
        await site.engine.ensure_volume(site.volume)
    asking = asyncio.ensure_future(migrating.pending(site, deployment))
    policy = site.app.update
    try:
        if policy.backup.create_before_update:
            deployment = await _back_up(site, deployment)
        pending = await asking
        may_migrate = site.migrations is not None and pending != ()
        if may_migrate and policy.migrations.backup_before_migration and not policy.backup.create_before_update:
            deployment = await _back_up(site, deployment)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    return replace(deployment, pending=pending)


async def remove_sidecars(site: Site, _deployment: Deployment) -> str:
    """Undo: what an engine that went away could not remove then."""
    await site.engine.sidecars.remove_strays(site.name)
    return ""


async def before_going_back(site: Site, record: Deployment) -> Deployment:
    """Of a rollback that changes data."""
    return await _back_up(site, record)


async def _back_up(site: Site, deployment: Deployment) -> Deployment:
    """Where there is data, and a release whose data it is."""
    if not deployment.previous or not site.has_data:
        site.say(deployment.id, "nothing to back up")
        return deployment
    before = site.journal.deployment(deployment.previous)
    if site.data_turn.locked():
        site.say(deployment.id, "another backup is being made: waiting for it")
    async with site.data_turn:
        manifest = await jobs.create(site, before, reason=f"before {deployment.kind_in_words} {deployment.id}")
    size = f"{manifest.data_size / MIB:.1f} MB in {len(manifest.files)} files"
    site.say(deployment.id, f"backup {manifest.id}: {size}, {manifest.archive_size / MIB:.1f} MB packed")
    if manifest.left_out:
        site.say(deployment.id, f"not in it, because these links lead out of the data: {', '.join(manifest.left_out)}")
    return replace(deployment, backup=manifest.id)

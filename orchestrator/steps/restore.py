"""The steps of a restore: what is there is kept as a backup, then replaced by the backup that was asked for."""

from __future__ import annotations

from dataclasses import replace

from orchestrator import holding, migrating, restoring
from orchestrator.backups import jobs
from orchestrator.journal import now
from orchestrator.model import Deployment, Direction, State
from orchestrator.site import Site


async def keep_what_is_there(site: Site, record: Deployment) -> Deployment:
    """The wanted backup is checked first, byte by byte; then requests wait, and nobody writes any more."""
    wanted = await jobs.check(site, record.ref)
    async with site.data_turn:
        record = await holding.hold(site, record)
        await restoring.stop_writers(site)
        active = site.journal.deployment(record.previous)
        reason = f"before restoring {wanted.id}"
        replaced = await jobs.create(site, active, reason, keeping=wanted.id, requests_wait=True)
    site.say(record.id, f"kept what it replaces as backup {replaced.id}")
    return replace(record, backup=replaced.id)


async def wake(site: Site, _record: Deployment) -> str:
    """Undo: the containers run again."""
    await restoring.wake_writers(site)
    return ""


async def replace_data(site: Site, record: Deployment) -> Deployment:
    """By the backup, brought to the schema of the release that goes on with it."""
    await restoring.replace_data(site, record.ref, by=record)
    release = site.journal.maker_of(record.container)
    if site.migrations is not None:
        pending = await migrating.pending(site, release)
        if pending != ():
            await migrating.up(site, replace(release, pending=pending), by=record)
    return record


async def go_on(site: Site, record: Deployment) -> Deployment:
    """The active release has proved itself on the data: requests go on."""
    await restoring.wake_writers(site)
    live = replace(record, state=State.LIVE, live_at=now())
    site.journal.save(live)
    return await holding.release(site, live)


async def put_back(site: Site, record: Deployment) -> str:
    """Undo: the data is again what it was, also where only a part of it had been replaced."""
    await migrating.stop_sidecars(site, record)
    mine = [run for run in site.journal.migrations(site.name) if run.deployment == record.id]
    if not record.backup or not any(run.direction is Direction.RESTORED for run in mine):
        return ""
    # Who was woken already has the files open that are about to go.
    await restoring.stop_writers(site)
    await restoring.replace_data(site, record.backup, by=record)
    return f"Put the data back as it was: backup {record.backup}"

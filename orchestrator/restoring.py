"""Putting a backup's data in the place of an app's data, with nobody writing meanwhile."""

from __future__ import annotations

from orchestrator import readiness
from orchestrator.backups import jobs
from orchestrator.engine.containers import ContainerStatus
from orchestrator.errors import StepFailed
from orchestrator.model import Deployment, Direction, Outcome
from orchestrator.schema import way_to
from orchestrator.site import Site


async def stop_writers(site: Site) -> None:
    for writer in _writers(site):
        status = await site.engine.status(writer.container)
        if status and _could_write(status):
            await site.engine.wake(writer.container)
            await site.engine.stop(writer.container, site.app.drain.stop_timeout)


async def wake_writers(site: Site) -> None:
    """The active release, until it is ready; and the standby, where it is kept warm and can run on the data."""
    slots = site.journal.slots(site.name)
    if not slots.active:
        return
    active = site.journal.deployment(slots.active)
    await site.engine.wake(active.container)
    if slots.standby and site.app.standby == "warm":
        standby = site.journal.deployment(slots.standby)
        if way_to(standby, site.journal.migrations(site.name)).free and await site.engine.status(standby.container):
            await site.engine.wake(standby.container)
    await readiness.until_ready(site, active)
    await site.proxy.end_preview(site.name)
    await site.proxy.mark_up(site.name)


async def replace_data(site: Site, backup: str, by: Deployment) -> None:
    """Nobody may write meanwhile. On record, so that a stop in the middle is undone at the next start."""
    made_at = (await jobs.find(site, backup)).made_at
    run = site.journal.migration_started(site.name, by.id, Direction.RESTORED, as_of=made_at)
    try:
        async with site.data_turn:
            await jobs.restore(site, backup, release=site.journal.deployment(site.journal.slots(site.name).active))
    except StepFailed as error:
        site.journal.migration_ended(run, Outcome.FAILED, (), f"backup {backup}: {error.cause}")
        raise
    site.journal.migration_ended(run, Outcome.DONE, (), f"backup {backup}")


async def put_back(site: Site, backup: str, by: Deployment) -> None:
    """All of it, for a release that goes on as if nothing had been. Requests are held by the caller."""
    await stop_writers(site)
    try:
        await replace_data(site, backup, by)
    finally:
        await wake_writers(site)


def _writers(site: Site) -> list[Deployment]:
    slots = site.journal.slots(site.name)
    return [site.journal.deployment(one) for one in (slots.active, slots.standby) if one]


def _could_write(status: ContainerStatus) -> bool:
    return status.running or status.paused

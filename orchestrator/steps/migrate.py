"""Step 5: pending migrations, by the app's own command in a sidecar of the new image.

A migration that the release before can live with runs while that one serves. Any other runs under hold: requests wait
from before it begins until the switch, and whatever fails in between takes the data back before they go on.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator import holding, migrating, restoring
from orchestrator.backups import jobs
from orchestrator.errors import StepFailed
from orchestrator.model import Deployment, Kind, Revision
from orchestrator.schema import names, way_to
from orchestrator.site import Site


async def data(site: Site, deployment: Deployment) -> Deployment:
    if site.migrations is None:
        return deployment
    if deployment.pending == ():
        site.say(deployment.id, "nothing to migrate")
        return deployment
    _must_be_allowed(site, deployment)
    if deployment.previous and not _old_release_can_stay(site, deployment.pending):
        deployment = await _hold(site, deployment)
    await migrating.up(site, deployment, by=deployment)
    return deployment


async def _hold(site: Site, deployment: Deployment) -> Deployment:
    """Nobody writes any more. Without a way down, the way back is a backup made now: nothing is lost by taking it."""
    if site.migrations is None or site.migrations.down is not None:
        return await holding.hold(site, deployment)
    async with site.data_turn:
        deployment = await holding.hold(site, deployment)
        before = site.journal.deployment(deployment.previous)
        reason = f"under hold, before deployment {deployment.id} migrates"
        manifest = await jobs.create(site, before, reason, requests_wait=True)
    deployment = replace(deployment, backup=manifest.id)
    site.journal.save(deployment)
    return deployment


async def for_standby(site: Site, record: Deployment) -> Deployment:
    """A rollback's part of it: hold, and bring the data to what the standby can run on."""
    record = await holding.hold(site, record)
    standby = site.journal.maker_of(record.container)
    await migrating.go(site, way_to(standby, site.journal.migrations(site.name)), target=standby, by=record)
    return record


async def undo(site: Site, deployment: Deployment) -> str:
    """The data is again as the release needs it that had the traffic."""
    await migrating.stop_sidecars(site, deployment)
    if site.migrations is None:
        return ""
    await migrating.settle(site, by=deployment)
    if not deployment.previous:
        return ""
    had_traffic = site.journal.deployment(deployment.previous)
    # A way down takes back, too, what the release before could live with: only a release that failed knows it.
    exactly = deployment.kind is Kind.DEPLOY and site.migrations.down is not None
    way = way_to(had_traffic, site.journal.migrations(site.name), exactly=exactly)
    if way.free:
        return _what_stays(site, deployment)
    if way.down and site.migrations.down is None and deployment.backup:
        await restoring.put_back(site, deployment.backup, by=deployment)
        return f"Put the data back as it was before {names(way.down)}; nobody had written since"
    await migrating.go(site, way, target=had_traffic, by=deployment)
    done = [f"Took back {names(way.down)}"] if way.down else []
    done += [f"Migrated again to {names(way.up)}"] if way.up else []
    return ", ".join(done)


def _old_release_can_stay(site: Site, pending: tuple[Revision, ...] | None) -> bool:
    if pending is None:
        return site.migrations is None or site.migrations.compatible
    return all(one.compatible for one in pending)


def _must_be_allowed(site: Site, deployment: Deployment) -> None:
    if site.app.update.migrations.auto_run or deployment.migrate or not deployment.previous:
        return
    what = "may have migrations to run" if deployment.pending is None else f"has to run {names(deployment.pending)}"
    raise StepFailed(
        f"This release {what}, and update.migrations.auto_run of {site.name} is off.",
        f"Run them with: changeover deploy {site.name} --migrate",
    )


def _what_stays(site: Site, deployment: Deployment) -> str:
    revisions = migrating.applied_by(site, deployment)
    return f"Left {names(revisions)} in place: the release before runs on it" if revisions else ""

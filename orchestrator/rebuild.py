"""A journal that was lost is rebuilt from the two others that know: the containers' labels and the proxy's map."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import structlog

from orchestrator import migrating
from orchestrator.engine.containers import (
    LABEL_APP,
    LABEL_COLOUR,
    LABEL_DEPLOYMENT,
    LABEL_MIGRATED,
    LABEL_RELEASE,
    LABEL_REQUESTED,
    LABEL_REVISION,
    LABEL_ROLE,
    ContainerStatus,
    Role,
)
from orchestrator.errors import StepFailed
from orchestrator.journal import now
from orchestrator.model import Colour, Deployment, Direction, Kind, Migration, Outcome, Release, Revision, Slots, State
from orchestrator.schema import from_json
from orchestrator.site import Site

log = structlog.get_logger()

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
BY = "rebuilt from what runs"


async def slots_from_what_runs(site: Site) -> bool:
    """Record what has the traffic, and what could be its standby. False where nothing has, or the journal knows."""
    colour = site.proxy.colour_in_file(site.name)
    if colour is None or site.journal.slots(site.name).active:
        return False
    mine = [one for one in await site.engine.containers() if _is_app_container(one, site.name)]
    # A candidate that was being tried has the standby's colour, too, and is the newer of the two.
    found = sorted(mine, key=_requested_at)
    active = next((one for one in found if one.labels.get(LABEL_COLOUR) == colour and one.running), None)
    if active is None:
        return False
    standby = next((one for one in found if one.labels.get(LABEL_COLOUR) == colour.other), None)
    both = [one for one in (active, standby) if one]
    for container in both:
        site.journal.add(_record(site, container))
    standby_id = standby.labels[LABEL_DEPLOYMENT] if standby else ""
    site.journal.save_switch(site.name, Slots(active=active.labels[LABEL_DEPLOYMENT], standby=standby_id))
    await _migrations(site, [one for one in found if one in both])
    return True


async def _migrations(site: Site, containers: list[ContainerStatus]) -> None:
    """What each of them brought to the data, the older first, and what has been taken back since."""
    for container in containers:
        if revisions := from_json(container.labels.get(LABEL_MIGRATED, "[]")):
            before = _requested_at(container) - timedelta(microseconds=1)
            _add_run(site, container, Direction.UP, revisions, before)
    newest = containers[-1]
    brought = from_json(newest.labels.get(LABEL_MIGRATED, "[]"))
    if gone := await _taken_back(site, newest, brought):
        _add_run(site, newest, Direction.DOWN, gone, now())


async def _taken_back(site: Site, newest: ContainerStatus, brought: tuple[Revision, ...]) -> tuple[Revision, ...]:
    """Of what the newest container brought: the app is asked. One that cannot tell has it all, as far as we know."""
    if not brought:
        return ()
    try:
        pending = await migrating.pending(site, site.journal.deployment(newest.labels[LABEL_DEPLOYMENT]))
    except StepFailed as error:
        log.error("what became of migrations cannot be told", app=site.name, cause=error.cause)
        return ()
    lacking = {one.revision for one in pending or ()}
    return tuple(one for one in brought if one.revision in lacking)


def _add_run(
    site: Site, container: ContainerStatus, direction: Direction, revisions: tuple[Revision, ...], moment: datetime
) -> None:
    deployment = container.labels[LABEL_DEPLOYMENT]
    site.journal.add_migration(
        Migration(0, site.name, deployment, direction, revisions, Outcome.DONE, moment, moment, BY)
    )


def _is_app_container(container: ContainerStatus, app: str) -> bool:
    return container.labels.get(LABEL_APP) == app and container.labels.get(LABEL_ROLE) == Role.APP


def _requested_at(container: ContainerStatus) -> datetime:
    """Of one that an early Changeover made, which did not say, it is not known."""
    said = container.labels.get(LABEL_REQUESTED)
    return datetime.fromisoformat(said) if said else LONG_AGO


def _record(site: Site, container: ContainerStatus) -> Deployment:
    labels = container.labels
    moment = _requested_at(container)
    return Deployment(
        id=labels[LABEL_DEPLOYMENT],
        app=site.name,
        kind=Kind.DEPLOY,
        state=State.LIVE,
        requested_by=BY,
        requested_at=moment,
        live_at=moment,
        ended_at=moment,
        release=Release(labels.get(LABEL_RELEASE, ""), labels.get(LABEL_REVISION, ""), container.image),
        colour=Colour(labels[LABEL_COLOUR]),
        container=container.name,
        address=container.address,
        port=site.app.run.port,
    )

"""Rebuild a lost journal from the containers' labels and the proxy's map."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import structlog

from orchestrator.app_data import migrations
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.domain.askers import BY_REBUILD
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, Slots, State
from orchestrator.domain.release import Release
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, SchemaRevision, newest_run
from orchestrator.domain.schema_report import from_json
from orchestrator.engine.base import (
    LABEL_APP,
    LABEL_COLOUR,
    LABEL_DEPLOYMENT,
    LABEL_MIGRATED,
    LABEL_NUMBER,
    LABEL_RELEASE,
    LABEL_REQUESTED,
    LABEL_ROLE,
    LABEL_SOURCE_REVISION,
    ContainerStatus,
    Role,
)
from orchestrator.errors import ChangeoverError, JournalError, UnknownDeployment

log = structlog.get_logger()

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def slots_from_what_runs(context: AppContext) -> bool:
    """Record an app's active release and standby, from its containers and the proxy's map.

    Returns False when the journal is not lost: it has an active release, or the deployment that made one of the
    containers, which recovery finishes or undoes; and when no container has the traffic. May be done again after it
    was interrupted. Raises EngineError or JournalError.
    """
    colour = context.proxy.colour_in_file(context.name)
    if colour is None or context.journal.slots(context.name).active:
        return False
    mine = [one for one in await context.engine.containers(context.name) if _is_app_container(one, context.name)]
    found = sorted(mine, key=_place)
    active = _active(context, found, colour)
    if active is None:
        return False
    # A candidate is newer than the standby.
    standby = next((one for one in found if one is not active), None)
    both = [one for one in found if one in (active, standby)]
    recorded = {one.name: await _recorded(context, one) for one in both}
    if any(record and record.requested_by != BY_REBUILD for record in recorded.values()):
        return False
    for container in both:
        if recorded[container.name]:
            continue
        await _add_what_it_applied(context, container)
        known = newest_run(context.journal.migrations(context.name))
        holds = colour if container is active else colour.other
        port = _port(context, container, holds)
        record = replace(_record(context, container), known_run=known, colour=holds, port=port)
        await context.journal.beside(context.journal.add, record)
    await _add_what_was_reverted(context, newest=both[-1])
    standby_id = standby.labels[LABEL_DEPLOYMENT] if standby else ""
    slots = Slots(active=active.labels[LABEL_DEPLOYMENT], standby=standby_id)
    await context.journal.beside(context.journal.save_switch, context.name, slots)
    return True


async def _recorded(context: AppContext, container: ContainerStatus) -> Deployment | None:
    """The deployment that made the container, if the journal has it."""
    try:
        return await context.journal.beside(context.journal.recorded, container.labels[LABEL_DEPLOYMENT])
    except UnknownDeployment:
        return None


def _active(context: AppContext, found: list[ContainerStatus], colour: Colour) -> ContainerStatus | None:
    """The container to which the proxy's files send the traffic; a running one where there are two.

    The label has the colour with which a container was made; a standby that stayed when the same release was deployed
    again has the other one since. So the address decides, and the label only where the files have none.
    """
    running = [one for one in found if one.running]
    stopped = [one for one in found if not one.running]
    server = context.proxy.server_in_file(context.name, colour)
    if server is not None:
        # A stopped one is started by recovery, as after `docker compose down` with stopped apps.
        return next((one for one in (*running, *stopped) if one.address == server.address), None)
    return next((one for one in running if one.labels.get(LABEL_COLOUR) == colour), None)


async def _add_what_it_applied(context: AppContext, container: ContainerStatus) -> None:
    """Record the schema revisions that the container's deployment applied."""
    if revisions := from_json(container.labels.get(LABEL_MIGRATED, "[]")):
        await _add_run(context, container, Direction.UP, revisions, _requested_at(container))


async def _add_what_was_reverted(context: AppContext, newest: ContainerStatus) -> None:
    brought = from_json(newest.labels.get(LABEL_MIGRATED, "[]"))
    if gone := await _taken_back(context, newest, brought):
        await _add_run(context, newest, Direction.DOWN, gone, now())


async def _taken_back(
    context: AppContext, newest: ContainerStatus, brought: tuple[SchemaRevision, ...]
) -> tuple[SchemaRevision, ...]:
    """Of the schema revisions that the newest container applied, those that the app reports as pending again.

    Empty when the app has no status command, or it fails, or cannot be run. Raises JournalError.
    """
    if not brought:
        return ()
    try:
        pending = await migrations.pending(context, context.journal.deployment(newest.labels[LABEL_DEPLOYMENT]))
    except JournalError:
        raise
    except ChangeoverError as error:
        log.error("pending migrations cannot be determined", app=context.name, cause=error.cause)
        return ()
    lacking = {one.revision for one in pending or ()}
    return tuple(one for one in brought if one.revision in lacking)


async def _add_run(
    context: AppContext,
    container: ContainerStatus,
    direction: Direction,
    revisions: tuple[SchemaRevision, ...],
    moment: datetime,
) -> None:
    """Once, also when the rebuild is done again."""
    deployment = container.labels[LABEL_DEPLOYMENT]
    known = await context.journal.beside(context.journal.migrations, context.name)
    if any((one.deployment, one.direction) == (deployment, direction) for one in known):
        return
    run = MigrationRun(0, context.name, deployment, direction, revisions, Outcome.DONE, moment, moment, BY_REBUILD)
    await context.journal.beside(context.journal.add_migration, run)


def _is_app_container(container: ContainerStatus, app: str) -> bool:
    """Whether it is one of the app that Changeover made: anybody can make a container with some of its labels."""
    labels = container.labels
    if labels.get(LABEL_APP) != app or labels.get(LABEL_ROLE) != Role.APP or not labels.get(LABEL_DEPLOYMENT):
        return False
    try:
        Colour(labels.get(LABEL_COLOUR, ""))
        _place(container)
    except ValueError:
        log.warning("container with the labels of an app is not understood", container=container.name, app=app)
        return False
    return True


def _place(container: ContainerStatus) -> tuple[int, datetime]:
    """Its place in the order of requests. Containers of earlier versions, which have no number, come first."""
    return int(container.labels.get(LABEL_NUMBER, "0")), _requested_at(container)


def _requested_at(container: ContainerStatus) -> datetime:
    """When the container's deployment was requested; LONG_AGO for one of an early version, which has no such label."""
    said = container.labels.get(LABEL_REQUESTED)
    return datetime.fromisoformat(said) if said else LONG_AGO


def _port(context: AppContext, container: ContainerStatus, holds: Colour) -> int:
    """The port at which the proxy has reached the container. `run.port` may have changed since it was made."""
    server = context.proxy.server_in_file(context.name, holds)
    return server.port if server and server.address == container.address else context.config.run.port


def _record(context: AppContext, container: ContainerStatus) -> Deployment:
    labels = container.labels
    moment = _requested_at(container)
    return Deployment(
        id=labels[LABEL_DEPLOYMENT],
        app=context.name,
        kind=Kind.DEPLOY,
        state=State.LIVE,
        requested_by=BY_REBUILD,
        requested_at=moment,
        live_at=moment,
        ended_at=moment,
        release=Release(labels.get(LABEL_RELEASE, ""), labels.get(LABEL_SOURCE_REVISION, ""), container.image),
        colour=Colour(labels[LABEL_COLOUR]),
        container=container.name,
        number=int(labels.get(LABEL_NUMBER, "0")),
        address=container.address,
    )

"""/v1/apps/{app}/migrations: applied and pending schema revisions, migration runs, and the needs of a rollback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.access import Deployer, Reader, Serving
from orchestrator.api.values import App
from orchestrator.app_data import migrations
from orchestrator.app_data.migration_runs import brought
from orchestrator.apps.context import AppContext
from orchestrator.deploy.standby import can_take_back, no_way_down, way_by_restore
from orchestrator.domain.schema_history import (
    MigrationRun,
    SchemaRevision,
    applied,
    change_in_words,
    newer_than,
    not_reported,
)
from orchestrator.errors import Refused, StepFailed, UnknownDeployment

router = APIRouter(prefix="/apps/{app}/migrations")


class RunView(BaseModel):
    """One migration run. `from_schema` and `to_schema` are empty if the app does not report schema revisions."""

    deployment: str
    direction: str
    outcome: str
    from_schema: str
    to_schema: str
    started_at: datetime
    seconds: float | None
    note: str


class NotKnownView(BaseModel):
    """A schema revision of the data that the live release does not know. `by`: the version of the release that applied
    it; empty if that is not known. `compatible`: whether the release before it can run on it."""

    revision: str
    previous: str
    compatible: bool
    says: str
    by: str


class RollbackView(BaseModel):
    """What a rollback to the standby needs. `way`: switch, migrate, restore or none. `says` is a sentence."""

    to: str
    way: str
    says: str
    remedy: str = ""


class Accepted(BaseModel):
    """What was accepted: what the failed deployment left in the data."""

    app: str
    deployment: str
    says: str


class MigrationsView(BaseModel):
    """`pending` is null if the app has no status command, the command failed, or the app is not configured any more;
    `problem` says so.

    `live` is the version of the live release; empty without one. `not_known` is what was applied on record and not
    reverted since, and is not known to that release, as when it is older than the data: `applied` does not have it.
    """

    app: str
    live: str = ""
    applied: list[SchemaRevision]
    not_known: list[NotKnownView] = []
    pending: list[SchemaRevision] | None
    problem: str = ""
    runs: list[RunView]
    rollback: RollbackView


@router.get("")
async def show(app: App, orchestrator: Serving, _who: Reader) -> MigrationsView:
    context = await orchestrator.apps.known(app)
    runs = context.journal.migrations(app)
    if not orchestrator.apps.has(app):
        return _of_removed(app, runs)
    active = context.active
    problem = "" if active else f"No release of {app} is live: what is pending is found out when one is deployed."
    schema = None
    # What the command prints is of no deployment that is under way.
    silently = replace(context, say=lambda _deployment, _line: None)
    try:
        async with orchestrator.sidecars_of_readers.turn_of(app):
            schema = await migrations.schema_of(silently, active) if active else None
    except StepFailed as error:
        problem = str(error)
    pending = schema.pending if schema else None
    recorded = applied(runs)
    beyond = not_known(schema, recorded, newer_than(active.known_run, active.live_at, runs) if active else ())
    return MigrationsView(
        app=app,
        live=active.release.version if active and active.release else "",
        applied=[one for one in known(schema, recorded) if one not in beyond],
        not_known=[_not_known(context, one) for one in beyond],
        pending=None if pending is None else list(pending),
        problem=problem,
        runs=[_run(run) for run in reversed(runs)],
        rollback=_rollback(context),
    )


def _of_removed(app: str, runs: Sequence[MigrationRun]) -> MigrationsView:
    """What is on record: without a configuration there is no status command, and nothing to roll back."""
    says = f"{app} is not configured any more"
    return MigrationsView(
        app=app,
        applied=list(applied(runs)),
        pending=None,
        problem=f"{says}: what is pending is not known.",
        runs=[_run(run) for run in reversed(runs)],
        rollback=RollbackView(to="", way="none", says=f"{says}.", remedy="Configure the name again to have it back."),
    )


@router.post("/accept")
async def accept(app: App, orchestrator: Serving, _who: Deployer) -> Accepted:
    """Accept the data as it is: what a failed migration left there is settled. The data is not changed."""
    context = orchestrator.apps.get(app)
    left = context.journal.unsettled(app)
    if left is None:
        raise Refused(f"Nothing is unsettled in the data of {app}.", f"See: changeover migrate status {app}")
    await context.journal.beside(context.journal.settle, app)
    return Accepted(app=app, deployment=left.deployment, says=left.says)


def known(schema: migrations.Schema | None, recorded: tuple[SchemaRevision, ...]) -> tuple[SchemaRevision, ...]:
    """The schema revisions of the data: those that the app reports, or else those on record, and the one that the first
    pending migration begins with, which may have been applied before Changeover deployed the app.
    """
    details = {one.revision: one for one in recorded}
    if schema and schema.applied:
        return tuple(details.get(one.revision, one) for one in schema.applied)
    first = schema.pending[0].previous if schema and schema.pending else ""
    if first in ("", "base") or first in details:
        return recorded
    return (*recorded, SchemaRevision(first, says="reported by the app; applied outside of Changeover"))


def not_known(
    schema: migrations.Schema | None, recorded: tuple[SchemaRevision, ...], newer: tuple[SchemaRevision, ...]
) -> tuple[SchemaRevision, ...]:
    """The schema revisions on record that the live release does not know: by what it reports, and those that are
    `newer` than it because they were applied after it had been live."""
    beyond = (*newer, *(not_reported(schema.applied, schema.pending, recorded) if schema else ()))
    return tuple(one for one in recorded if one in beyond)


def _not_known(context: AppContext, revision: SchemaRevision) -> NotKnownView:
    try:
        by = brought(context, revision)
    except UnknownDeployment:  # as in a journal that was rebuilt
        by = None
    return NotKnownView(**asdict(revision), by=by.release.version if by and by.release else "")


def _run(run: MigrationRun) -> RunView:
    ends = [run.revisions[0].previous, run.revisions[-1].revision] if run.revisions else ["", ""]
    start, end = ends if run.direction != "down" else reversed(ends)
    return RunView(
        deployment=run.deployment,
        direction=run.direction,
        outcome=run.outcome,
        from_schema=start,
        to_schema=end,
        started_at=run.started_at,
        seconds=run.seconds,
        note=run.note,
    )


def _rollback(context: AppContext) -> RollbackView:
    standby = context.standby
    if standby is None:
        return RollbackView(to="", way="none", says=f"{context.name} has no standby release.")
    version, change = standby.version, migrations.needed_by(context, standby)
    if change.is_empty:
        return RollbackView(to=version, way="switch", says=f"{version} can run on the data. No migration is needed.")
    if not can_take_back(context, change):
        says, remedy = no_way_down(context, standby, change), way_by_restore(context)
        return RollbackView(to=version, way="restore", says=says, remedy=remedy)
    says = f"A rollback to {version} {change_in_words(change)}, with requests paused. A backup is made first."
    return RollbackView(to=version, way="migrate", says=says)

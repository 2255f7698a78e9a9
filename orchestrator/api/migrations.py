"""/v1/apps/{app}/migrations: what an app's data has been through, what it lacks, and what a rollback would need."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator import migrating
from orchestrator.api.access import Reader, Serving
from orchestrator.errors import StepFailed
from orchestrator.model import Migration, Revision
from orchestrator.rollback import no_way_down, way_by_restore
from orchestrator.schema import applied, names, way_to
from orchestrator.site import Site

router = APIRouter(prefix="/apps/{app}/migrations")


class RunView(BaseModel):
    """One run. `from_schema` and `to_schema` are empty where the app does not report them; `seconds` is its length."""

    deployment: str
    direction: str
    outcome: str
    from_schema: str
    to_schema: str
    started_at: datetime
    seconds: float | None
    note: str


class RollbackView(BaseModel):
    """What a rollback to the standby would need. `way`: switch, migrate, restore or none."""

    to: str
    way: str
    says: str
    remedy: str = ""


class MigrationsView(BaseModel):
    """`pending` is null where the app has no command that tells, or that command failed: `problem` says why."""

    app: str
    applied: list[Revision]
    pending: list[Revision] | None
    problem: str = ""
    runs: list[RunView]
    rollback: RollbackView


@router.get("")
async def show(app: str, orchestrator: Serving, _who: Reader) -> MigrationsView:
    site = orchestrator.site(app)
    runs = site.journal.migrations(app)
    active = site.journal.slots(app).active
    problem = ""
    try:
        pending = await migrating.pending(site, site.journal.deployment(active)) if active else None
    except StepFailed as error:
        pending, problem = None, str(error)
    return MigrationsView(
        app=app,
        applied=list(applied(runs)),
        pending=None if pending is None else list(pending),
        problem=problem,
        runs=[_run(run) for run in reversed(runs)],
        rollback=_rollback(site),
    )


def _run(run: Migration) -> RunView:
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


def _rollback(site: Site) -> RollbackView:
    slots = site.journal.slots(site.name)
    if not slots.standby:
        return RollbackView(to="", way="none", says=f"{site.name} has no standby release.")
    standby = site.journal.deployment(slots.standby)
    version = standby.release.version if standby.release else standby.id
    way = way_to(standby, site.journal.migrations(site.name))
    if way.free:
        return RollbackView(to=version, way="switch", says=f"{version} runs on the data as it is: a switch is enough.")
    if way.down and (site.migrations is None or site.migrations.down is None):
        says, remedy = no_way_down(site, standby, way), way_by_restore(site)
        return RollbackView(to=version, way="restore", says=says, remedy=remedy)
    todo = [f"takes back {names(way.down)}"] if way.down else []
    todo += [f"applies {names(way.up)}"] if way.up else []
    says = f"Going to {version} {' and '.join(todo)} while requests wait; a backup is made first."
    return RollbackView(to=version, way="migrate", says=says)

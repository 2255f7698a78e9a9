"""Going back to the standby: at once where it runs on the data as it is, else under hold, with the data taken along."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator import readiness
from orchestrator.errors import Refused
from orchestrator.events import EventStream
from orchestrator.journal import now
from orchestrator.model import Deployment, State, StepName
from orchestrator.pipeline import Step, carry_out, heading_for, patiently, publish_live
from orchestrator.schema import Way, names, way_to
from orchestrator.site import Site
from orchestrator.steps import backup, migrate, start, switch, verify

OVER_SCHEMA = (
    Step(StepName.BACKUP, backup.before_going_back, undo=backup.remove_sidecars),
    Step(StepName.MIGRATE, migrate.for_standby, undo=migrate.undo),
    Step(StepName.START, start.standby, undo=start.stop_standby),
    Step(StepName.VERIFY, verify.candidate, undo=verify.end_preview),
    Step(StepName.SWITCH, switch.to_standby, undo=switch.back),
)
"""A rollback to a release that cannot run on the data as it is."""


@dataclass(frozen=True)
class Standby:
    """What a rollback goes to, what the data needs for it, and whether it answers already: a warm one does."""

    deployment: Deployment
    way: Way
    answers: bool


async def standby_of(site: Site) -> Standby:
    """Raises Refused when there is nothing to roll back to, or no way to it."""
    slots = site.journal.slots(site.name)
    if not slots.standby:
        raise Refused(
            f"{site.name} has no standby release to roll back to.", "There is one after the second deployment."
        )
    standby = site.journal.deployment(slots.standby)
    way = way_to(standby, site.journal.migrations(site.name))
    if way.down and (site.migrations is None or site.migrations.down is None):
        raise Refused(no_way_down(site, standby, way), way_by_restore(site))
    if way.free and site.app.standby == "warm" and await readiness.answers_now(site, standby):
        return Standby(standby, way, answers=True)
    if await site.engine.status(standby.container) is None:
        revision = standby.release.revision[:12] if standby.release else ""
        raise Refused(
            f"The standby container {standby.container} of {site.name} is gone.",
            f"Deploy its release again: changeover deploy {site.name} --ref {revision}",
        )
    return Standby(standby, way, answers=False)


def no_way_down(site: Site, standby: Deployment, way: Way) -> str:
    version = standby.release.version if standby.release else standby.id
    return (
        f"{version} cannot run on the schema since {names(way.down)}, and {site.name} has no command that takes it "
        "back (migrate.down)."
    )


def way_by_restore(site: Site) -> str:
    """The offer in place of a rollback that is refused."""
    active = site.journal.deployment(site.journal.slots(site.name).active)
    if not active.backup or active.live_at is None:
        return f"A backup from before can be put back, with all that it loses: changeover backup list {site.name}"
    minutes = max(1, round((now() - active.live_at).total_seconds() / 60))
    version = active.release.version if active.release else active.id
    return (
        f"Backup {active.backup}, made before {version} went live, can be put back instead. What was written in the "
        f"{minutes} min since would be lost, but for a backup of it: "
        f"changeover rollback {site.name} --restore {active.backup}"
    )


async def roll_back(site: Site, events: EventStream, record: Deployment, to: Standby) -> Deployment:
    """Send the traffic to the standby, which becomes active; what was active becomes standby.

    `record` is the rollback's own line in the history. Whatever fails leaves traffic and data where they were.
    """
    record = heading_for(to.deployment, record, left=site.journal.slots(site.name).active)
    site.journal.add(record)
    record = await carry_out(site, events, record, _steps_to(to))
    if record.state is State.LIVE:
        await patiently(lambda: publish_live(events, record))
    return record


def _steps_to(standby: Standby) -> tuple[Step, ...]:
    if not standby.way.free:
        return OVER_SCHEMA
    return AT_ONCE if standby.answers else WOKEN


async def _wake(site: Site, record: Deployment) -> Deployment:
    await site.engine.wake(record.container)
    await readiness.until_ready(site, record)
    return record


AT_ONCE = (Step(StepName.SWITCH, switch.to_standby, undo=switch.back),)
WOKEN = (Step(StepName.START, _wake), *AT_ONCE)

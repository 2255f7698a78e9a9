"""Going on with the data of a backup: the active release, or the standby where the way back leads to that."""

from __future__ import annotations

from orchestrator.errors import Refused
from orchestrator.events import EventStream
from orchestrator.model import Deployment, Kind, State, StepName
from orchestrator.pipeline import Step, carry_out, heading_for, patiently
from orchestrator.site import Site
from orchestrator.steps import restore, start, switch, verify


async def _prove_and_go_on(site: Site, record: Deployment) -> Deployment:
    await verify.candidate(site, record)
    return await restore.go_on(site, record)


_REPLACE = (
    Step(StepName.BACKUP, restore.keep_what_is_there, undo=restore.wake),
    Step(StepName.MIGRATE, restore.replace_data, undo=restore.put_back),
    Step(StepName.START, start.standby),
)
IN_PLACE = (*_REPLACE, Step(StepName.VERIFY, _prove_and_go_on, undo=verify.end_preview))
TO_STANDBY = (
    *_REPLACE,
    Step(StepName.VERIFY, verify.candidate, undo=verify.end_preview),
    Step(StepName.SWITCH, switch.to_standby, undo=switch.back),
)


def steps_of(record: Deployment) -> tuple[Step, ...]:
    return IN_PLACE if record.kind is Kind.RESTORE else TO_STANDBY


async def put_back(site: Site, events: EventStream, record: Deployment) -> Deployment:
    """Carry out a restore, `record` being its line in the history and `record.ref` the backup.

    A rollback goes to the standby with it. Whatever fails leaves data and traffic where they were.
    """
    slots = site.journal.slots(site.name)
    goes_on = slots.active if record.kind is Kind.RESTORE else slots.standby
    if not slots.active or not goes_on:
        what = "live" if record.kind is Kind.RESTORE else "standby"
        raise Refused(f"{site.name} has no {what} release that could go on with restored data.", "Deploy it first.")
    release = site.journal.deployment(goes_on)
    record = heading_for(release, record, left=slots.active)
    site.journal.add(record)
    record = await carry_out(site, events, record, steps_of(record))
    if record.state is State.LIVE:
        said = {"backup": record.ref, "replaced": record.backup, "held": record.held_seconds}
        await patiently(lambda: events.publish("restored", site.name, record.id, **said))
    return record

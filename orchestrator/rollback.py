"""Going back to the standby: the switch, and nothing before it that takes time."""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.deployment import why
from orchestrator.errors import ChangeoverError, ProxyError, Refused
from orchestrator.events import EventStream
from orchestrator.journal import now
from orchestrator.model import Deployment, Slots, State, StepName, StepState
from orchestrator.site import Site
from orchestrator.steps import switch, verify


@dataclass(frozen=True)
class Standby:
    """What a rollback goes to, and whether it answers already: a warm one does."""

    deployment: Deployment
    answers: bool


async def standby_of(site: Site) -> Standby:
    """Raises Refused when there is nothing to roll back to."""
    slots = site.journal.slots(site.name)
    if not slots.standby:
        raise Refused(
            f"{site.name} has no standby release to roll back to.", "There is one after the second deployment."
        )
    standby = site.journal.deployment(slots.standby)
    if site.app.standby == "warm" and await verify.answers_now(site, standby):
        return Standby(standby, answers=True)
    if await site.engine.status(standby.container) is None:
        revision = standby.release.revision[:12] if standby.release else ""
        raise Refused(
            f"The standby container {standby.container} of {site.name} is gone.",
            f"Deploy its release again: changeover deploy {site.name} --ref {revision}",
        )
    return Standby(standby, answers=False)


async def roll_back(site: Site, events: EventStream, record: Deployment, to: Standby) -> Deployment:
    """Send the traffic to the standby, which becomes active; what was active becomes standby.

    `record` is the rollback's own line in the history. Whatever fails leaves the traffic where it was.
    """
    journal, standby = site.journal, to.deployment
    left = journal.slots(site.name).active
    record = replace(
        record,
        state=State.RUNNING,
        started_at=now(),
        release=standby.release,
        colour=standby.colour,
        container=standby.container,
        address=standby.address,
        port=standby.port,
        previous=left,
    )
    journal.add(record)
    journal.step_started(record.id, StepName.SWITCH)
    try:
        if not to.answers:
            await site.engine.wake(standby.container)
            await verify.until_ready(site, standby)
        live = await go_to(site, record, standby)
    except ChangeoverError as error:
        if isinstance(error, ProxyError):
            await switch.back(site, record)
        journal.step_ended(record.id, StepName.SWITCH, StepState.FAILED, str(error))
        failed = replace(record, state=State.FAILED, failure=why(StepName.SWITCH, error), ended_at=now())
        journal.save(failed)
        events.publish("failed", site.name, record.id, step=StepName.SWITCH, cause=error.cause)
        return failed
    journal.step_ended(record.id, StepName.SWITCH, StepState.DONE)
    events.publish("live", site.name, record.id, seconds=live.seconds_to_live, colour=live.colour, rollback=True)
    return live


async def go_to(site: Site, record: Deployment, standby: Deployment) -> Deployment:
    """The switch itself, from a standby that is ready to the journal's word that it was done."""
    await switch.route_to(site, standby)
    live = replace(record, state=State.LIVE, live_at=now())
    changed = [live, replace(standby, state=State.LIVE)]
    if record.previous:
        left = site.journal.deployment(record.previous)
        changed.append(replace(left, state=State.ROLLED_BACK, ended_at=left.ended_at or now()))
    site.journal.save_switch(site.name, Slots(active=standby.id, standby=record.previous), *changed)
    return live

"""At start: finish or undo what a stop of the orchestrator interrupted, so that one colour is active and no more."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from orchestrator import holding, migrating, readiness, restore
from orchestrator.backups import jobs
from orchestrator.deployment import TO_LIVE
from orchestrator.engine.containers import LABEL_ROLE, Role
from orchestrator.engine.docker import DockerEngine
from orchestrator.errors import ChangeoverError
from orchestrator.events import EventStream
from orchestrator.model import Deployment, Failure, Kind, State, StepName, StepState
from orchestrator.pipeline import Step, undo
from orchestrator.queue import Queue
from orchestrator.rollback import OVER_SCHEMA
from orchestrator.schema import way_to
from orchestrator.site import Site
from orchestrator.steps import retire, start, switch, verify

TIP = "What had been done was undone. Deploy again."


async def remove_leftovers(engine: DockerEngine, work: Path) -> None:
    """Sidecars and fetched sources: whoever needed them is gone."""
    if work.exists():
        await asyncio.to_thread(shutil.rmtree, work)
    for container in await engine.containers():
        if container.labels.get(LABEL_ROLE) == Role.SIDECAR:
            await engine.remove(container.name)


async def recover(site: Site, events: EventStream, queue: Queue) -> None:
    """Bring one app from whatever it was left in to a state that the journal, the engine and the proxy agree on."""
    await jobs.settle(site)
    unfinished = [one for one in reversed(site.journal.unfinished()) if one.app == site.name]
    for deployment in unfinished:
        if deployment.state is State.RUNNING:
            if was_switching(deployment):
                await _finish_switch(site, events, deployment)
            else:
                await _undo(site, events, deployment)
        elif deployment.state is State.LIVE:
            if was_switching(deployment):
                site.journal.step_ended(deployment.id, StepName.SWITCH, StepState.DONE, "recorded after a restart")
            await holding.release(site, deployment)
    await _restore_traffic(site)
    slots = site.journal.slots(site.name)
    await retire.remove_strays(site, keep={slots.active, slots.standby})
    for deployment in unfinished:
        current = site.journal.deployment(deployment.id)
        if deployment.state is State.QUEUED:
            queue.enqueue(current)
        elif current.state is State.LIVE:
            queue.retire(site, current)


def was_switching(deployment: Deployment) -> bool:
    """The candidate had proved itself and the switch was meant: going on is what was wanted."""
    return any(step.name is StepName.SWITCH and step.state is StepState.RUNNING for step in deployment.steps)


async def _finish_switch(site: Site, events: EventStream, deployment: Deployment) -> None:
    try:
        await site.engine.wake(deployment.container)
        await readiness.until_ready(site, deployment)
        to_it = switch.to_candidate if deployment.kind is Kind.DEPLOY else switch.to_standby
        live = await to_it(site, deployment)
    except ChangeoverError as error:
        failure = Failure(StepName.SWITCH, f"The orchestrator was stopped during the switch; then: {error.cause}", TIP)
        await undo(site, events, deployment, State.FAILED, failure, _steps(deployment))
        return
    site.journal.step_ended(live.id, StepName.SWITCH, StepState.DONE, "finished after a restart")
    events.publish("live", site.name, live.id, seconds=live.seconds_to_live, colour=live.colour, recovered=True)


def _steps(deployment: Deployment) -> tuple[Step, ...]:
    if deployment.kind is Kind.DEPLOY:
        return TO_LIVE
    return restore.steps_of(deployment) if deployment.ref else OVER_SCHEMA


async def _undo(site: Site, events: EventStream, deployment: Deployment) -> None:
    under_way = next((step.name for step in deployment.steps if step.state is StepState.RUNNING), StepName.PREPARE)
    site.journal.step_ended(deployment.id, under_way, StepState.FAILED, "interrupted")
    failure = Failure(under_way, f"The orchestrator was stopped during {under_way}.", TIP)
    await undo(site, events, deployment, State.FAILED, failure, _steps(deployment))


def warm_standby(site: Site) -> Deployment | None:
    """The standby, where it may serve while the active release does not answer."""
    slots = site.journal.slots(site.name)
    if not slots.standby or site.app.standby != "warm":
        return None
    runs = site.journal.migrations(site.name)
    both = [site.journal.deployment(one) for one in (slots.active, slots.standby)]
    return both[1] if all(way_to(one, runs).free for one in both) else None


async def _restore_traffic(site: Site) -> None:
    """The active container runs and has the traffic, whatever was stopped or changed meanwhile."""
    slots = site.journal.slots(site.name)
    if not slots.active:
        await site.proxy.forget_route(site.name)
        return
    active = site.journal.deployment(slots.active)
    way = way_to(active, site.journal.migrations(site.name))
    if site.migrations is not None and not way.free:
        await migrating.go(site, way, target=active, by=active)
    if await _bring_back(site, active) or site.proxy.route(site.name).active != active.colour:
        await switch.route_to(site, active)
        if (standby := warm_standby(site)) is not None:
            await site.proxy.set_fallback(site.name, standby.colour)


async def _bring_back(site: Site, active: Deployment) -> bool:
    """Make or wake the active container if it does not run; False where there was nothing to do.

    One that was removed from outside is made again: the journal knows its image, its name and its address.
    """
    status = await site.engine.status(active.container)
    if status is None:
        await start.candidate(site, active)
    elif not status.running or status.paused:
        await site.engine.wake(active.container)
    else:
        return False
    await verify.candidate(site, active)
    return True

"""Finish or undo what a stop of the orchestrator interrupted, so that one colour is active and no more."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

from orchestrator.app_data import backups, migrations
from orchestrator.apps import readiness, traffic, verification
from orchestrator.apps.context import AppContext
from orchestrator.deploy import plans, retention
from orchestrator.deploy.compensation import compensate, resume_requests
from orchestrator.deploy.pipeline import publish_live
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.deploy.standby import standby_for_failover
from orchestrator.deploy.steps.start import StartCandidate
from orchestrator.deploy.switch_outcome import Interruption, Outcome, outcome_of
from orchestrator.domain.deployment import Deployment, Failure, State, StepName, StepState
from orchestrator.engine.base import LABEL_ROLE, Engine, Role
from orchestrator.errors import ChangeoverError
from orchestrator.events.stream import EventStream

TIP = "What had been done was undone. Deploy again."


async def remove_leftovers(engine: Engine, work: Path) -> None:
    """Remove sidecars and fetched sources: whoever needed them is gone. Raises EngineError."""
    if work.exists():
        await asyncio.to_thread(shutil.rmtree, work)
    for container in await engine.containers():
        if container.labels.get(LABEL_ROLE) == Role.SIDECAR:
            await engine.remove(container.name)


async def recover(context: AppContext, events: EventStream, scheduler: Scheduler) -> None:
    """Bring one app from whatever it was left in to a state that the journal, the engine and the proxy agree on."""
    await backups.undo_interrupted_restores(context)
    unfinished = [one for one in reversed(context.journal.unfinished()) if one.app == context.name]
    for deployment in unfinished:
        if deployment.state is State.QUEUED:
            continue
        match outcome_of(deployment, Interruption.RESTART):
            case Outcome.KEEP_LIVE:
                await _keep_live(context, deployment)
            case Outcome.FINISH_SWITCH:
                await _finish_switch(context, events, deployment)
            case Outcome.COMPENSATE:
                await _compensate(context, events, deployment)
    await _restore_traffic(context)
    await retention.remove_stray_containers(context)
    for deployment in unfinished:
        current = context.journal.deployment(deployment.id)
        if deployment.state is State.QUEUED:
            scheduler.enqueue(current)
        elif current.state is State.LIVE:
            scheduler.retire(context, current)


async def _keep_live(context: AppContext, live: Deployment) -> None:
    """Its last step has done what it was to do; only that was not recorded. Retiring is done again."""
    for step in live.steps:
        if step.state is StepState.RUNNING and step.name is not StepName.RETIRE:
            context.journal.step_ended(live.id, step.name, StepState.DONE, "recorded after a restart")
    await resume_requests(context, live)


async def _finish_switch(context: AppContext, events: EventStream, deployment: Deployment) -> None:
    plan = plans.of_interrupted(deployment)
    switch = plan[-1]
    try:
        await context.engine.wake(deployment.container)
        await readiness.until_ready(context, deployment)
        live = await switch.run(context, deployment)
    except ChangeoverError as error:
        recorded = context.journal.deployment(deployment.id)
        if outcome_of(recorded, Interruption.STEP_FAILED) is Outcome.KEEP_LIVE:
            await _keep_live(context, recorded)
            return
        failure = Failure(StepName.SWITCH, f"The orchestrator was stopped during the switch; then: {error.cause}", TIP)
        await compensate(context, events, deployment, State.FAILED, failure, plan)
        return
    context.journal.step_ended(live.id, StepName.SWITCH, StepState.DONE, "finished after a restart")
    publish_live(events, live, recovered=True)


async def _compensate(context: AppContext, events: EventStream, deployment: Deployment) -> None:
    under_way = next((step.name for step in deployment.steps if step.state is StepState.RUNNING), StepName.PREPARE)
    context.journal.step_ended(deployment.id, under_way, StepState.FAILED, "interrupted")
    failure = Failure(under_way, f"The orchestrator was stopped during {under_way}.", TIP)
    await compensate(context, events, deployment, State.FAILED, failure, plans.of_interrupted(deployment))


async def _restore_traffic(context: AppContext) -> None:
    """The active container runs and has the traffic, whatever was stopped or changed meanwhile."""
    active = context.active
    if active is None:
        await context.proxy.forget_route(context.name)
        return
    needed = migrations.needed_by(context, active)
    if context.migrations is not None and not needed.is_empty:
        await migrations.change(context, needed, target=active, by=active)
    if await _bring_back(context, active) or context.proxy.route(context.name).active != active.colour:
        await traffic.send_to(context, active)
        if (standby := standby_for_failover(context)) is not None:
            await context.proxy.set_fallback(context.name, standby.colour)


async def _bring_back(context: AppContext, active: Deployment) -> bool:
    """Make or wake the active container if it does not run; False where there was nothing to do.

    One that was removed from outside is made again: the journal knows its image, its name and its address.
    """
    status = await context.engine.status(active.container)
    if status is None:
        await StartCandidate().run(context, active)
    elif not status.running or status.paused:
        await context.engine.wake(active.container)
    else:
        return False
    await verification.verify(context, active)
    return True

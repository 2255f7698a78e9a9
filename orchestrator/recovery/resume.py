"""Finish or compensate deployments that a stop of the orchestrator interrupted, so that one colour is active."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable
from dataclasses import replace
from pathlib import Path

import structlog

from border.revision import option
from orchestrator.app_data import backups, failed_migrations, migrations
from orchestrator.apps import pause, readiness, traffic, verification
from orchestrator.apps.context import AppContext
from orchestrator.deploy import plans, retention, step_entries
from orchestrator.deploy.compensation import compensate
from orchestrator.deploy.pipeline import publish_live
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.deploy.steps.start import StartCandidate
from orchestrator.deploy.switch_outcome import Interruption, Outcome, outcome_of
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, State, StepName, StepState
from orchestrator.domain.interruption import end_by, noted, tip_of
from orchestrator.domain.schema_history import Direction
from orchestrator.domain.schema_history import Outcome as RunOutcome
from orchestrator.engine.base import LABEL_ROLE, Engine, Role
from orchestrator.errors import ChangeoverError, EngineError, StepFailed, VolumeGone
from orchestrator.events.stream import EventStream
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.recovery import untold_ends
from orchestrator.recovery.lost import is_out_of_place

log = structlog.get_logger()

INTERRUPTED = "interrupted"
WHILE_UNDONE = "The orchestrator was stopped while it was undone."
LATER = "interrupted by a stop of Changeover; what is left is retired after that"


async def remove_leftovers(engine: Engine, work: Path) -> None:
    """Remove what interrupted work left: sidecars, fetched sources, and volumes of dumps. Raises EngineError.

    One that cannot be removed is logged; `changeover doctor` shows it.
    """
    if work.exists():
        await to_its_end(asyncio.to_thread(_remove_folder, work))
    for container in await engine.containers():
        if container.labels.get(LABEL_ROLE) == Role.SIDECAR:
            await _try(engine.remove(container.name), container.name)
    for volume in await engine.volumes():
        if backups.is_dump_volume(volume):
            await _try(engine.remove_volume(volume), volume)


def _remove_folder(folder: Path) -> None:
    def report(_function: object, path: str, error: tuple[type[BaseException], BaseException, object]) -> None:
        log.warning("fetched source not removed", path=path, cause=str(error[1]))

    shutil.rmtree(folder, onerror=report)


async def _try(removal: Awaitable[object], name: str) -> None:
    try:
        await removal
    except EngineError as error:
        log.warning("left by an interrupted deployment, and not removed", name=name, cause=error.cause)


async def finish_interrupted(context: AppContext, events: EventStream) -> None:
    """Finish or compensate the app's interrupted deployments. Before this, nothing new may change the app.

    Raises EngineError, ProxyError, JournalError or StepFailed; may be tried again.
    """
    await backups.settle_interrupted_restores(context)
    for deployment in await _unfinished(context):
        if deployment.state is State.QUEUED:
            continue
        match outcome_of(deployment, Interruption.RESTART):
            case Outcome.KEEP_LIVE:
                await _keep_live(context, events, deployment)
            case Outcome.FINISH_SWITCH:
                await _finish_switch(context, events, deployment)
            case Outcome.COMPENSATE:
                await _compensate(context, events, deployment)
    await untold_ends.tell(context, events)


async def bring_back(context: AppContext) -> None:
    """Send the traffic to the active release, whose container is started if needed, and remove stray containers.

    Raises EngineError, ProxyError, JournalError or StepFailed; may be tried again, while the app is not busy.
    """
    await _restore_traffic(context)
    # What is not drained yet is not in a slot any more if the same release was deployed again. Retiring removes it.
    draining = [one.previous for one in await _unfinished(context) if one.state is State.LIVE]
    keeps = not context.config.update.rollback.auto_rollback_on_failure  # a failed candidate, until the next deployment
    await retention.remove_stray_containers(context, draining, only_stop=keeps)


async def go_on(context: AppContext, scheduler: Scheduler) -> None:
    """Retire what is live and not retired, and queue the deployments that were queued. Raises JournalError.

    Comes last: what it begins may pause requests, which recovery resumes.
    """
    await scheduler.retire_again(context)
    for deployment in await _unfinished(context):
        if deployment.state is State.QUEUED:
            await scheduler.queue_again(deployment)


async def _unfinished(context: AppContext) -> list[Deployment]:
    """The app's unfinished deployments, the oldest first."""
    return [
        one for one in reversed(await context.journal.beside(context.journal.unfinished)) if one.app == context.name
    ]


async def _keep_live(context: AppContext, events: EventStream, live: Deployment) -> None:
    """Record the end of the last step, and resume paused requests. The caller retires again, unless a rollback, which
    retires for both, comes first."""
    for step in live.steps:
        if step.state is StepState.RUNNING:
            later = step.name is StepName.RETIRE
            state, note = (StepState.SKIPPED, LATER) if later else (StepState.DONE, "recorded after a restart")
            await step_entries.ended(context, events, step.name, live, state, note)
    await pause.resume_patiently(context, live)


async def _finish_switch(context: AppContext, events: EventStream, deployment: Deployment) -> None:
    plan = plans.of_interrupted(deployment)
    switch = plan[-1]
    try:
        await context.engine.wake(deployment.container, deployment.address)
        await readiness.until_ready(context, deployment)
        live = await switch.run(context, deployment)
    except ChangeoverError as error:
        await to_its_end(_end_failed_switch(context, events, deployment, error))
        return
    await step_entries.ended(context, events, StepName.SWITCH, live, StepState.DONE, "finished after a restart")
    await publish_live(events, live, recovered=True)


async def _end_failed_switch(
    context: AppContext, events: EventStream, deployment: Deployment, error: ChangeoverError
) -> None:
    recorded = await context.journal.beside(context.journal.recorded, deployment.id)
    if outcome_of(recorded, Interruption.STEP_FAILED) is Outcome.KEEP_LIVE:
        await _keep_live(context, events, recorded)
        return
    cause = f"The orchestrator was stopped during the switch, and the switch could not be finished: {error.cause}"
    failure = Failure(StepName.SWITCH, cause, tip_of(deployment, context.journal.attempts(context.name)))
    await step_entries.ended(context, events, StepName.SWITCH, deployment, StepState.FAILED, INTERRUPTED)
    plan = plans.of_interrupted(deployment)
    await compensate(context, events, deployment, State.FAILED, failure, plan, Interrupter.KILL)


async def _compensate(context: AppContext, events: EventStream, deployment: Deployment) -> None:
    """In a task of its own, to its end: a stop of the orchestrator waits for it, as for the undo of a deployment."""
    await to_its_end(_compensate_interrupted(context, events, deployment))


async def _compensate_interrupted(context: AppContext, events: EventStream, deployment: Deployment) -> None:
    step, by, cause = _stopped_at(deployment)
    end, failure = end_by(by, deployment, step, context.journal.attempts(context.name))
    failure = replace(failure, cause=cause or failure.cause)
    if any(step.state is StepState.RUNNING for step in deployment.steps):
        await step_entries.ended(context, events, failure.step, deployment, StepState.FAILED, INTERRUPTED)
    plan = plans.of_interrupted(deployment)
    await compensate(context, events, deployment, end, failure, plan, by)


def _stopped_at(deployment: Deployment) -> tuple[StepName, Interrupter, str]:
    """The step at which the deployment was interrupted, by what, and a sentence that says so (empty: as usual).

    What failed, or who cancelled it, before the orchestrator was stopped in its undo, is said first: what a person has
    cancelled is not begun again. The end of a step may be on record as interrupted, by an earlier recovery that was
    itself stopped.
    """
    if not deployment.steps:
        return StepName.PREPARE, Interrupter.KILL, "The orchestrator was stopped before the first step."
    last = next((one for one in deployment.steps if one.state is StepState.RUNNING), deployment.steps[-1])
    if last.state is StepState.DONE:
        return last.name, Interrupter.KILL, f"The orchestrator was stopped after {last.name}."
    if last.state is StepState.RUNNING or last.note in ("", INTERRUPTED):
        return last.name, Interrupter.KILL, ""
    match noted(last.note):
        case Interrupter.STOP:
            return last.name, Interrupter.STOP, ""
        case Interrupter.PERSON:
            first = f"The {deployment.kind_in_words} was cancelled."
            return last.name, Interrupter.PERSON, f"{first} {WHILE_UNDONE}"
    return last.name, Interrupter.KILL, f"{last.note} {WHILE_UNDONE}"


async def _restore_traffic(context: AppContext) -> None:
    """Start the active container if it does not run, and send the traffic to it."""
    active = context.active
    if active is None:
        await context.proxy.forget_route(context.name)
        return
    await _bring_data_to_schema_of(context, active)
    if await _bring_back(context, active) or context.proxy.route(context.name).active != active.colour:
        await traffic.send_to(context, active)


async def _bring_data_to_schema_of(context: AppContext, active: Deployment) -> None:
    """Revert and apply what the active release needs. What became of migrations that were interrupted, also of an
    earlier try or of an undo that failed, is found out first: they would be recorded as running for ever."""
    if context.migrations is None:
        return
    runs = context.journal.migrations(context.name)
    running = [one for one in runs if one.outcome is RunOutcome.RUNNING and one.direction is not Direction.RESTORED]
    if running:
        await context.engine.remove_stray_sidecars(context.name)
    for deployment in dict.fromkeys(run.deployment for run in running):
        await failed_migrations.find_out(context, by=context.journal.deployment(deployment))
    needed = migrations.needed_by(context, active)
    if needed.is_empty:
        return
    try:
        await migrations.change(context, needed, target=active, by=active)
    except StepFailed as error:
        left = context.journal.unsettled(context.name)
        if left is None:
            raise
        # What failed before has named the command that settles it.
        raise StepFailed(error.cause, left.remedy, log=error.log, exit_code=error.exit_code, oom=error.oom) from error
    await _settle_what_is_reverted(context)


async def _settle_what_is_reverted(context: AppContext) -> None:
    """An undo failed and left something in the data: it is settled if the data is as in the backup made before."""
    left = context.journal.unsettled(context.name)
    if left is None:
        return
    stands, says = await failed_migrations.compared_now(context, context.journal.deployment(left.deployment))
    if stands in failed_migrations.SCHEMA_AS_BEFORE:
        await context.journal.beside(context.journal.settle, context.name)
        context.say(left.deployment, f"what it left in the data is settled. {says}")


async def _bring_back(context: AppContext, active: Deployment) -> bool:
    """Create, start or unpause the active container, or connect it again, and verify it. False if it runs in its place.

    A removed container is created again, with the image, name and address that the journal has.
    """
    status = await context.engine.status(active.container)
    if status is None:
        await _create_again(context, active)
    elif is_out_of_place(status, active):
        await context.engine.wake(active.container, active.address)
    else:
        # It may have been started by a try that came no further, and before its restart policy was set.
        await context.engine.keep_running(active.container)
        return False
    await verification.verify(context, active)
    return True


async def _create_again(context: AppContext, active: Deployment) -> None:
    """Raises VolumeGone, with the restore to run, when the data volume does not exist any more."""
    try:
        await StartCandidate().run(context, active)
    except VolumeGone as error:
        entries = await backups.entries(context)
        newest = next((one.id for one in entries if one.summary), None)
        if newest is None:
            raise
        remedy = (
            f"Restore the newest backup: changeover backup restore {context.name} {newest}. To begin with empty data "
            f"instead: docker volume create {context.volume}"
        )
        raise VolumeGone(error.cause, remedy) from error
    except EngineError as error:
        again = option(active.release.source_revision) if active.release else ""
        raise EngineError(
            f"The container of {active.version} was removed, and cannot be created again: {error.cause}",
            f"Correct the cause, or deploy it again: changeover deploy {context.name} {again} --force",
        ) from error

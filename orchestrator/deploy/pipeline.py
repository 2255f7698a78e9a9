"""The pipeline: runs the steps of a plan, records each in the journal, and compensates when one fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_delay, wait_fixed

from orchestrator.apps import pause
from orchestrator.apps.context import AppContext
from orchestrator.deploy import plans, restored_release, step_entries
from orchestrator.deploy.compensation import compensate, failure_at
from orchestrator.deploy.plans import Plan
from orchestrator.deploy.standby import Standby
from orchestrator.deploy.steps.base import Step
from orchestrator.deploy.steps.fetch import remove_source
from orchestrator.deploy.switch_outcome import Interruption, Outcome, outcome_of
from orchestrator.domain import events as happenings
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, Kind, State, StepName, StepState
from orchestrator.domain.interruption import end_by, note_of
from orchestrator.errors import ChangeoverError, EngineError, JournalError, ProxyError, Refused, of_the_system
from orchestrator.events.stream import EventStream
from orchestrator.host.uninterrupted import in_spite_of_cancels, to_its_end
from orchestrator.journal.retry import RETRY_S, patiently

RETIRE_WITHIN_S = 60.0


Asks = Callable[[], Interrupter]
"""Tells, when a task is cancelled, whose cancel that is."""


async def deploy(context: AppContext, events: EventStream, deployment: Deployment, by: Asks) -> Deployment:
    """Deploy a release. If a step fails, the steps are compensated and the active release keeps the traffic.

    Returns the deployment as recorded: live, unchanged, cancelled (`by` a person), or failed, also by a stop.
    Does not raise a step's ChangeoverError.
    """
    try:
        deployment = replace(deployment, state=State.RUNNING, started_at=context.journal.timing.moment(deployment.id))
        started = happenings.Started(deployment.requested_by, deployment.kind)
        save = partial(context.journal.save, deployment)
        await events.publish(started, context.name, deployment.id, with_record=save)
    except JournalError as error:
        failure = failure_at(StepName.PREPARE, error)
        return await compensate(context, events, deployment, State.FAILED, failure, plans.DEPLOY)
    deployment = await carry_out(context, events, deployment, plans.DEPLOY, by)
    if deployment.state is State.LIVE:
        await remove_source(context, deployment)
        await patiently(lambda: publish_live(events, deployment))
    return deployment


async def begin_roll_back(context: AppContext, record: Deployment, to: Standby) -> Deployment:
    """Record a rollback to this standby. Raises JournalError."""
    record = _going_to(context, to.deployment, record, left=context.journal.slots(context.name).active)
    return await context.journal.beside(context.journal.add, record)


async def roll_back(context: AppContext, events: EventStream, record: Deployment, to: Standby, by: Asks) -> Deployment:
    """Roll back to the standby, which becomes active; the active release becomes standby.

    `record` is the rollback's own record in the journal. If a step fails, the steps are compensated.
    """
    record = await carry_out(context, events, record, plans.to_standby(to), by)
    if record.state is State.LIVE:
        await patiently(lambda: publish_live(events, record))
    return record


async def begin_restore(context: AppContext, record: Deployment) -> Deployment:
    """Record a restore of the backup `record.ref`. Raises Refused without a release to run on it, and JournalError.

    A restore that brings a release also raises UnknownBackup and StepFailed.
    """
    if record.brings_release:
        return await context.journal.beside(context.journal.add, await restored_release.candidate(context, record))
    release = context.active if record.kind is Kind.RESTORE else context.standby
    active = context.active
    if active is None or release is None:
        what = "live" if record.kind is Kind.RESTORE else "standby"
        raise Refused(f"Restore failed: {context.name} has no {what} release to run on the data.", "Deploy it first.")
    return await context.journal.beside(context.journal.add, _going_to(context, release, record, left=active.id))


async def restore(context: AppContext, events: EventStream, record: Deployment, by: Asks) -> Deployment:
    """Restore the backup `record.ref` and run a release on it: the active one, the backup's own, or the standby.

    If a step fails, the steps are compensated.
    """
    record = await carry_out(context, events, record, plans.with_backup(record), by)
    if record.state is State.LIVE:
        restored = happenings.Restored(record.ref, record.backup, record.paused_s)
        await patiently(lambda: events.publish(restored, context.name, record.id))
    return record


async def retire(context: AppContext, events: EventStream, deployment: Deployment) -> Deployment:
    """After the switch: drain the old colour, keep it as standby, and apply retention.

    Retries for RETIRE_WITHIN_S seconds while the engine, the proxy or the journal does not answer. If retiring fails,
    the release stays live, and the next deployment retires again.
    """
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type((EngineError, ProxyError, JournalError)),
            stop=stop_after_delay(RETIRE_WITHIN_S),
            wait=wait_fixed(RETRY_S),
            reraise=True,
        ):
            with attempt:
                await _perform(context, events, plans.AFTERWARDS, deployment)
    except ChangeoverError as error:
        failed = happenings.RetireFailed(error.cause, error.remedy)
        await patiently(lambda: events.publish(failed, context.name, deployment.id))
    # Also those whose retiring was cancelled by a rollback that came soon after: nothing else would end them.
    unfinished = await patiently(lambda: context.journal.beside(context.journal.unfinished))
    live = [one.id for one in unfinished if one.app == context.name and one.state is State.LIVE]
    for earlier in (one for one in live if one != deployment.id):
        await _end_retired(context, events, earlier)
    return await _end_retired(context, events, deployment.id)


async def _end_retired(context: AppContext, events: EventStream, deployment_id: str) -> Deployment:
    recorded = await patiently(lambda: context.journal.beside(context.journal.recorded, deployment_id))
    ended = replace(recorded, ended_at=context.journal.timing.moment(deployment_id))
    told, save = happenings.Ended(ended.state), partial(context.journal.save, ended)
    await patiently(lambda: events.publish(told, context.name, deployment_id, with_record=save))
    return ended


async def carry_out(
    context: AppContext, events: EventStream, deployment: Deployment, plan: Plan, by: Asks
) -> Deployment:
    """Run the steps of a plan in order. If one fails or the task is cancelled, compensate.

    A deployment whose release has its image when it is fetched ends as unchanged: that release is live already.
    Returns the deployment as recorded. An error that is not a ChangeoverError is raised again after compensation.
    """
    under_way = plan[0].name
    try:
        for step in plan:
            under_way = step.name
            deployment = await _perform(context, events, step, deployment, by)
            if step.name is StepName.FETCH and deployment.release and deployment.release.image:
                return await in_spite_of_cancels(_end_unchanged(events, context, deployment))
    except asyncio.CancelledError:
        who = by()
        end, failure = end_by(who, deployment, under_way)
        return await _end_of(context, events, deployment, plan, Interruption.CANCELLED, failure, end, who)
    except ChangeoverError as error:
        failure = failure_at(under_way, error)
        return await _end_of(context, events, deployment, plan, Interruption.STEP_FAILED, failure, State.FAILED)
    except Exception as error:
        # A defect in Changeover: end the deployment as for any other error, then raise it again so that it is logged.
        failure = Failure(
            under_way, f"Unexpected {type(error).__name__}: {error}.", "Report this defect in Changeover."
        )
        await _end_of(context, events, deployment, plan, Interruption.STEP_FAILED, failure, State.FAILED)
        raise
    return deployment


async def publish_live(events: EventStream, live: Deployment, *, recovered: bool = False) -> None:
    """Publish that a release has the traffic. Raises JournalError."""
    rollback = live.kind is Kind.ROLLBACK
    happened = happenings.Live(live.seconds_to_live, live.colour, rollback, live.paused_s, recovered)
    await events.publish(happened, live.app, live.id)


async def _end_unchanged(events: EventStream, context: AppContext, deployment: Deployment) -> Deployment:
    ended = replace(deployment, state=State.UNCHANGED, ended_at=context.journal.timing.moment(deployment.id))
    told, save = happenings.Unchanged(ended.version), partial(context.journal.save, ended)
    await patiently(lambda: events.publish(told, context.name, ended.id, with_record=save))
    return ended


async def _perform(
    context: AppContext, events: EventStream, step: Step, deployment: Deployment, by: Asks | None = None
) -> Deployment:
    """Run one step. Its intent is recorded before it begins, its result before the next step begins."""
    try:
        await step_entries.begun(context, events, step.name, deployment)
        deployment = await _run(context, step, deployment)
    except BaseException as error:
        await in_spite_of_cancels(_enter_interrupted(context, events, step, deployment, error, by))
        raise
    await to_its_end(step_entries.done(context, events, step.name, deployment))
    return deployment


async def _enter_interrupted(
    context: AppContext,
    events: EventStream,
    step: Step,
    deployment: Deployment,
    error: BaseException,
    by: Asks | None,
) -> None:
    """Enter a step's end by an error or a cancel: as failed, but for what follows once a release is live."""
    note = str(error) or _why_cancelled(step, by)
    state = StepState.FAILED
    if step.name is StepName.RETIRE:
        if isinstance(error, asyncio.CancelledError):
            state = StepState.SKIPPED  # it is retired later
    elif await _is_live(context, deployment):
        state, note = StepState.DONE, ""  # nothing takes it back any more
    await step_entries.ended(context, events, step.name, deployment, state, note)


async def _is_live(context: AppContext, deployment: Deployment) -> bool:
    recorded = await patiently(lambda: context.journal.beside(context.journal.recorded, deployment.id))
    return recorded.state is State.LIVE


async def _run(context: AppContext, step: Step, deployment: Deployment) -> Deployment:
    """What the system refuses, such as a full disk, fails the step as any other error outside of the release."""
    try:
        return await step.run(context, deployment)
    except OSError as error:
        if refused := of_the_system(error):
            raise refused from error
        raise


def _why_cancelled(step: Step, by: Asks | None) -> str:
    if step.name is StepName.RETIRE:
        return "interrupted by a rollback, a restore or a stop of Changeover; what is left is retired after that"
    return note_of(by() if by else Interrupter.PERSON)


async def _end_of(
    context: AppContext,
    events: EventStream,
    deployment: Deployment,
    plan: Plan,
    interruption: Interruption,
    failure: Failure,
    end: State,
    by: Interrupter | None = None,
) -> Deployment:
    """End an interrupted deployment: keep it live if the journal has it as live, else compensate.

    Runs in a task of its own. A second cancel does not interrupt it.
    """
    work = _keep_or_compensate(context, events, deployment, plan, interruption, failure, end, by)
    return await in_spite_of_cancels(work)


async def _keep_or_compensate(
    context: AppContext,
    events: EventStream,
    deployment: Deployment,
    plan: Plan,
    interruption: Interruption,
    failure: Failure,
    end: State,
    by: Interrupter | None = None,
) -> Deployment:
    recorded = await patiently(lambda: context.journal.beside(context.journal.recorded, deployment.id))
    if outcome_of(recorded, interruption) is Outcome.KEEP_LIVE:
        # Finish a deployment that the journal has as live.
        return await pause.resume_patiently(context, replace(recorded, changes=deployment.changes))
    return await compensate(context, events, deployment, end, failure, plan, by)


def _going_to(context: AppContext, made: Deployment, record: Deployment, left: str) -> Deployment:
    """The record of a rollback or restore that starts now, with the release and container of the deployment `made`."""
    return replace(
        record,
        state=State.RUNNING,
        started_at=context.journal.timing.moment(record.id),
        release=made.release,
        colour=made.colour,
        container=made.container,
        address=made.address,
        port=made.port,
        previous=left,
    )

"""Compensation: after a step fails, the undo of each step that was begun, in reverse order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import structlog

from orchestrator.app_data import way_back
from orchestrator.apps import pause
from orchestrator.apps.context import AppContext
from orchestrator.apps.serving_check import ask_active
from orchestrator.clock import elapsed
from orchestrator.deploy.plans import Plan
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, State, StepName, StepState
from orchestrator.domain.events import Cancelled, Failed
from orchestrator.domain.undo_events import Undo
from orchestrator.errors import (
    ChangeoverError,
    EngineError,
    JournalError,
    NoWayBack,
    ProxyError,
    StepFailed,
    of_the_system,
)
from orchestrator.events.stream import EventStream
from orchestrator.journal.retry import RETRY_S, patiently

log = structlog.get_logger()

BEFORE_THE_RELEASE = (StepName.PREPARE, StepName.FETCH)
"""The steps that can fail only by what is outside of the release: the disk, the source."""
AWAY_S = 60.0
"""How long each attempt of an undo waits for an engine or a proxy that does not answer, in seconds."""


@dataclass(frozen=True)
class _Undone:
    """A sentence for each attempt of an undo, and the error of the last attempt if it failed."""

    says: tuple[str, ...] = ()
    error: ChangeoverError | None = None


async def compensate(
    context: AppContext,
    events: EventStream,
    deployment: Deployment,
    end: State,
    failure: Failure,
    plan: Plan,
    by: Interrupter | None = None,
) -> Deployment:
    """Undo every step that was begun, in reverse order, and resume paused requests. Then ask the active release.

    If an undo fails, the others still run. The deployment is recorded with the state `end`, with what interrupted it
    (`by`), and with the `failure`, to which is added: a sentence for each undo, what is left in the data, and what the
    active release answered. Waits, without limit, for a journal that does not answer.
    """
    recorded = await patiently(lambda: context.journal.beside(context.journal.recorded, deployment.id))
    deployment = replace(recorded, changes=deployment.changes)
    undone: list[str] = []
    data_error = None
    for step in reversed(plan):
        if deployment.has_begun(step.name):
            undo = await _told(events, context, deployment, step, _undo(context, step, deployment))
            undone += undo.says
            for said in undo.says:
                context.say(deployment.id, said)
            data_error = undo.error if step.name is StepName.MIGRATE else data_error
    deployment = await pause.resume_patiently(context, deployment)
    failure = await _what_is_left(context, deployment, replace(failure, undone=tuple(undone)), data_error)
    ended_at = context.journal.timing.moment(deployment.id)
    ended = replace(deployment, state=end, interrupted_by=by, failure=failure, ended_at=ended_at)
    told, save = Failed if end is State.FAILED else Cancelled, partial(context.journal.save, ended)
    happened = told(failure.step, failure.cause)
    await patiently(lambda: events.publish(happened, context.name, ended.id, with_record=save))
    return ended


async def _told(
    events: EventStream, context: AppContext, deployment: Deployment, step: Step, undo: Awaitable[_Undone]
) -> _Undone:
    """The undo of a step, with an event at its beginning and its end. No undo waits for the journal to take them."""
    events.mention(Undo(step.name, StepState.RUNNING), context.name, deployment.id)
    began = elapsed()
    undone = await undo
    state = StepState.FAILED if undone.error else StepState.DONE
    took = round(elapsed() - began, 3)
    events.mention(Undo(step.name, state, ". ".join(undone.says), took), context.name, deployment.id)
    return undone


async def _what_is_left(
    context: AppContext, deployment: Deployment, failure: Failure, data_error: ChangeoverError | None
) -> Failure:
    """Ask the active release, and record what is left in the data. Waits for a journal that does not answer."""
    serving = await ask_active(context)
    journal = context.journal
    left = await patiently(lambda: journal.beside(way_back.left_by, context, deployment, data_error, serving))
    if left is None:
        return replace(failure, serving=serving)
    await patiently(lambda: journal.beside(journal.leave, context.name, left))
    # What an earlier one has left is none of this deployment's, whose own output may say that it changed nothing.
    says = left.says if left.deployment == deployment.id else left.says_since
    return replace(failure, serving=serving, left=says, left_remedy=left.remedy)


def failure_at(step: StepName, error: ChangeoverError) -> Failure:
    """The failure that the journal records for an error of a step."""
    if isinstance(error, StepFailed):
        outside = step in BEFORE_THE_RELEASE
        return Failure(step, error.cause, error.remedy, error.log, error.exit_code, error.oom, outside=outside)
    return Failure(step, error.cause, error.remedy, outside=True)


async def _undo(context: AppContext, step: Step, deployment: Deployment) -> _Undone:
    """Run the undo of a step, at most `update.rollback.max_rollback_attempts` times.

    An undo that only a person can continue (NoWayBack) is not tried again. One whose last attempt failed while the
    engine or the proxy was away is tried once more if that answers again: the traffic may be at a container that is
    about to be removed.
    """
    attempts = most = context.config.update.rollback.max_rollback_attempts
    tried: list[str] = []
    error: ChangeoverError | None = None
    attempt = 0
    while attempt < most:
        attempt += 1
        try:
            said = await step.undo(context, deployment)
        except NoWayBack as failed:
            return _Undone((*tried, f"Could not undo {step.name}: {failed.cause}"), failed)
        except Exception as failed:  # noqa: BLE001 (each is recorded, and a defect is logged)
            error = _explained(failed, step)
            tried.append(f"Could not undo {step.name} (attempt {attempt} of {most}): {error}")
            if await _is_back(context, deployment, failed, last=attempt == most) and attempt == attempts:
                most = attempts + 1
        else:
            return _Undone((*tried, said) if said else tuple(tried))
    return _Undone(tuple(tried), error)


def _explained(failed: Exception, step: Step) -> ChangeoverError:
    """A defect in Changeover is logged, and is an error like any other one: the other undos still run."""
    if isinstance(failed, ChangeoverError):
        return failed
    if isinstance(failed, OSError) and (refused := of_the_system(failed)):
        return refused
    log.error("undo failed unexpectedly", step=step.name, exc_info=failed)
    return ChangeoverError(f"Unexpected {type(failed).__name__}: {failed}.", "Report this defect in Changeover.")


async def _is_back(context: AppContext, deployment: Deployment, error: Exception, *, last: bool) -> bool:
    """Wait for what is away. Whether the engine or the proxy, of which the error is, was away and answers again."""
    if not last:
        await asyncio.sleep(RETRY_S)
    if isinstance(error, JournalError):
        # An undo has to record what it does: it is not enough that the journal can be read.
        await patiently(lambda: context.journal.beside(context.journal.rewrite, deployment.id))
    try:
        if isinstance(error, EngineError):
            await context.engine.version()
        if isinstance(error, ProxyError):
            await context.proxy.version()
    except EngineError:
        # No undo can succeed without it: wait until it is restarted.
        return await context.engine.wait_until_up(AWAY_S)
    except ProxyError:
        with suppress(ProxyError):
            return bool(await context.proxy.wait_until_up(AWAY_S))
    return False

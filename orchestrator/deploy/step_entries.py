"""A step's entries: its beginning and its end in the journal, each in one transaction with the event that tells it.

So a kill leaves both or neither: whoever follows a deployment is told what its record says.
"""

from __future__ import annotations

from functools import partial

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment, State, StepName, StepState
from orchestrator.domain.duration import seconds_between
from orchestrator.domain.events import Step
from orchestrator.errors import JournalError
from orchestrator.events.stream import EventStream
from orchestrator.journal.retry import patiently


async def begun(context: AppContext, events: EventStream, name: StepName, deployment: Deployment) -> None:
    """Enter that a step begins. Raises JournalError."""
    record = partial(context.journal.step_started, deployment.id, name)
    await events.publish(Step(name, StepState.RUNNING), context.name, deployment.id, with_record=record)


async def done(context: AppContext, events: EventStream, name: StepName, result: Deployment) -> None:
    """Enter that a step is done, and what it has made of the deployment.

    Raises JournalError; then the step is entered as failed, as soon as the journal can be written. Of a release that is
    live nothing is undone: that waits for a journal that does not answer.
    """
    try:
        await _end(context, events, name, result, StepState.DONE, is_result=True)
    except JournalError as error:
        if result.state is State.LIVE:
            await patiently(lambda: _end(context, events, name, result, StepState.DONE, is_result=True))
            return
        await ended(context, events, name, result, StepState.FAILED, str(error))
        raise


async def ended(
    context: AppContext, events: EventStream, name: StepName, deployment: Deployment, state: StepState, note: str
) -> None:
    """Enter that a step ended otherwise, and why. Waits for a journal that does not answer."""
    await patiently(lambda: _end(context, events, name, deployment, state, note))


async def _end(
    context: AppContext,
    events: EventStream,
    name: StepName,
    deployment: Deployment,
    state: StepState,
    note: str = "",
    *,
    is_result: bool = False,
) -> None:
    journal, ended_at = context.journal, context.journal.timing.moment(deployment.id)
    beginning = next((one for one in journal.deployment(deployment.id).steps if one.name is name), None)
    took = seconds_between(beginning.started_at, ended_at) if beginning else None

    def record() -> None:
        if is_result:
            journal.save(deployment)
        journal.step_ended(deployment.id, name, state, note, ended_at)

    await events.publish(Step(name, state, note, took), context.name, deployment.id, with_record=record)

"""The ends of deployments that have not begun: recorded, then told."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import structlog

from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, State, StepName
from orchestrator.domain.events import Cancelled, Failed, Occurrence, Superseded
from orchestrator.domain.interruption import end_by
from orchestrator.errors import ChangeoverError, JournalError
from orchestrator.events.stream import EventStream
from orchestrator.journal.retry import patiently
from orchestrator.journal.store import Journal

log = structlog.get_logger()


class Endings:
    """Records the ends of queued deployments, and of work that was cancelled before its first step."""

    def __init__(self, journal: Journal, events: EventStream) -> None:
        self._journal = journal
        self._events = events

    async def unheard(self, deployment_id: str, by: Interrupter) -> Deployment:
        """The end of work that was cancelled before its first step or after its last one."""
        recorded = await patiently(lambda: self._journal.beside(self._journal.recorded, deployment_id))
        if recorded.state.ended:
            return recorded
        end, failure = end_by(by, recorded, StepName.PREPARE)
        return await self._of_unbegun(replace(recorded, interrupted_by=by), end, failure)

    async def failed_unbegun(self, deployment: Deployment, error: ChangeoverError) -> Deployment:
        """End a deployment that cannot begin."""
        failure = Failure(StepName.PREPARE, error.cause, error.remedy)
        return await self._of_unbegun(deployment, State.FAILED, failure)

    async def _of_unbegun(self, deployment: Deployment, state: State, failure: Failure) -> Deployment:
        ended = replace(deployment, state=state, failure=failure, ended_at=now())
        told, save = Failed if state is State.FAILED else Cancelled, partial(self._journal.save, ended)
        happened = told(failure.step, failure.cause)
        await patiently(lambda: self._events.publish(happened, ended.app, ended.id, with_record=save))
        return ended

    async def of_queued(self, deployment: Deployment, state: State, by: Interrupter | None = None) -> None:
        """End a deployment that has not begun. Raises JournalError."""
        ended = replace(deployment, state=state, interrupted_by=by, ended_at=now())
        told = Superseded() if state is State.SUPERSEDED else Cancelled()
        await self._events.publish(told, ended.app, ended.id, with_record=partial(self._journal.save, ended))

    async def tell(self, happened: Occurrence, deployment: Deployment) -> None:
        """Publish what is already done: that this cannot be recorded must not undo half of it."""
        try:
            await self._events.publish(happened, deployment.app, deployment.id)
        except JournalError as error:
            log.warning("event not recorded", deployment=deployment.id, cause=error.cause)

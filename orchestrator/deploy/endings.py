"""The ends of deployments that have not begun: recorded, then told."""

from __future__ import annotations

from dataclasses import replace

import structlog

from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, State, StepName
from orchestrator.domain.events import Cancelled, Failed, Occurrence, Superseded
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
        interrupted = replace(recorded, interrupted_by=by)
        return recorded if recorded.state.ended else await self.of_unbegun(interrupted, State.CANCELLED)

    async def of_unbegun(
        self, deployment: Deployment, state: State, error: ChangeoverError | None = None
    ) -> Deployment:
        """End a deployment that has not begun."""
        failure = Failure(StepName.PREPARE, error.cause, error.remedy) if error else None
        ended = replace(deployment, state=state, failure=failure, ended_at=now())
        await patiently(lambda: self._journal.beside(self._journal.save, ended))
        happened = Failed(failure.step, failure.cause) if failure else Cancelled()
        await patiently(lambda: self._events.publish(happened, deployment.app, deployment.id))
        return ended

    async def of_queued(self, deployment: Deployment, state: State, by: Interrupter | None = None) -> None:
        """End a deployment that has not begun. Raises JournalError."""
        ended = replace(deployment, state=state, interrupted_by=by, ended_at=now())
        await self._journal.beside(self._journal.save, ended)
        await self.tell(Superseded() if state is State.SUPERSEDED else Cancelled(), deployment)

    async def tell(self, happened: Occurrence, deployment: Deployment) -> None:
        """Publish what is already done: that this cannot be recorded must not undo half of it."""
        try:
            await self._events.publish(happened, deployment.app, deployment.id)
        except JournalError as error:
            log.warning("event not recorded", deployment=deployment.id, cause=error.cause)

"""The scheduler: one deployment per app at a time. A queued deployment is superseded by a newer request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import structlog

from orchestrator.app_data import backups
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.deploy import pipeline
from orchestrator.deploy.lane import Lane
from orchestrator.deploy.request import is_outdated, new_request, refuse_where_rollback_is_off
from orchestrator.deploy.standby import find_standby
from orchestrator.deploy.switch_outcome import may_be_cancelled
from orchestrator.domain.deployment import Deployment, Failure, Interrupter, Kind, State, StepName
from orchestrator.domain.events import Cancelled, Failed, Occurrence, Queued, Superseded
from orchestrator.errors import ChangeoverError, JournalError, Refused, UnknownApp
from orchestrator.events.stream import EventStream
from orchestrator.host.uninterrupted import in_spite_of_cancels, to_its_end
from orchestrator.journal.retry import patiently
from orchestrator.journal.store import Journal

log = structlog.get_logger()


class Scheduler:
    """Accepts requests for deployments, rollbacks and restores, and runs them. Each app has its own lane."""

    def __init__(self, journal: Journal, events: EventStream, context: Callable[[str], AppContext]) -> None:
        self._journal = journal
        self._events = events
        self._context = context
        self._lanes: dict[str, Lane] = {}
        self._stopping = False

    def request(
        self, app: str, ref: str, by: str, idempotency_key: str | None = None, *, migrate: bool = False
    ) -> Deployment:
        """Record and queue a deployment. The same idempotency key returns the same deployment again.

        `migrate` allows migrations although `update.migrations.auto_run` is off. Raises UnknownApp or JournalError.
        """
        if idempotency_key and (known := self._journal.with_key(app, idempotency_key)):
            if known.state is State.QUEUED and not self._lane(app).will_run(known):
                self.queue_again(known)  # it was recorded, and the request failed before it was queued
                known = self._journal.deployment(known.id)
            return known
        self._context(app)
        self._lane(app).refuse_unrecovered(app)
        deployment = replace(new_request(app, Kind.DEPLOY, by), ref=ref, migrate=migrate)
        deployment = self._journal.add(deployment, idempotency_key)
        self.enqueue(deployment)
        return deployment

    def queue_again(self, deployment: Deployment) -> None:
        """Queue what was recorded and did not begin; supersede it if a newer one has begun. Raises JournalError."""
        if is_outdated(self._journal, deployment):
            self._end_queued(deployment, State.SUPERSEDED)
        else:
            self.enqueue(deployment)

    def enqueue(self, deployment: Deployment) -> None:
        """Queue a recorded deployment. Of it and those of the app that are queued or run already, the newest request
        is carried out; one that waits for longer is superseded. Raises JournalError; then nothing is queued.
        """
        if self._stopping:
            return
        lane = self._lane(deployment.app)
        if lane.has_newer(deployment):
            self._end_queued(deployment, State.SUPERSEDED)
            return
        before = lane.waiting
        if before and before.id != deployment.id:
            self._end_queued(before, State.SUPERSEDED)
        lane.waiting = deployment
        if lane.queue is None or lane.queue.done():
            lane.queue = asyncio.create_task(self._work(deployment.app))
        self._tell(Queued(deployment.requested_by), deployment)

    def cancel(self, deployment_id: str) -> Deployment:
        """Cancel a queued or running deployment, rollback or restore, and return it as recorded.

        Raises UnknownDeployment, and Refused when it has ended, its step switch has begun, or it is being cancelled.
        """
        deployment = self._journal.deployment(deployment_id)
        lane = self._lane(deployment.app)
        if lane.waiting and lane.waiting.id == deployment_id:
            self._end_queued(deployment, State.CANCELLED, Interrupter.PERSON)
            lane.waiting = None
        elif lane.running and lane.running.id == deployment_id and lane.work:
            if lane.cancelling:
                raise Refused(
                    f"Deployment {deployment_id} is being cancelled already.", "Wait until what it did is undone."
                )
            if not may_be_cancelled(deployment):
                raise Refused(
                    f"Deployment {deployment_id} cannot be cancelled: it is switching traffic.",
                    f"Roll back when it is live: changeover rollback {deployment.app}",
                )
            lane.cancelling = True
            lane.work.cancel()
        elif deployment.state is State.QUEUED:
            self._end_queued(deployment, State.CANCELLED, Interrupter.PERSON)
        else:
            raise Refused(f"Deployment {deployment_id} cannot be cancelled: it has ended as {deployment.state}.")
        return self._journal.deployment(deployment_id)

    async def roll_back(self, app: str, by: str) -> Deployment:
        """Roll back to the standby now, and return the rollback as recorded.

        Continues when the calling task is cancelled. Raises UnknownApp, and Refused when rollback is off, there is no
        usable standby, or the app is busy.
        """
        context, lane = self._context(app), self._lane(app)
        refuse_where_rollback_is_off(context)
        lane.refuse_if_busy(app)
        async with lane.turn:
            standby = await find_standby(context)
            async with self._retiring_stopped(context, lane):
                self._refuse_while_stopping()
                record = pipeline.begin_roll_back(context, new_request(app, Kind.ROLLBACK, by), standby)
                work = pipeline.roll_back(context, self._events, record, standby, lane.interrupter)
                await self._carry_out(lane, record, work)
            return self._journal.deployment(record.id)

    async def restore(self, app: str, backup: str, by: str, kind: Kind) -> Deployment:
        """Restore a backup and run the active release (Kind.RESTORE) or the standby (Kind.ROLLBACK) on it.

        Returns the record. Continues when the calling task is cancelled. Raises UnknownApp, UnknownBackup, StepFailed
        when the backup's manifest cannot be read, and Refused when the app is busy, has no such release, or it is a
        rollback and rollback is off.
        """
        context, lane = self._context(app), self._lane(app)
        if kind is Kind.ROLLBACK:
            refuse_where_rollback_is_off(context)
        lane.refuse_if_busy(app)
        async with lane.turn:
            await backups.find(context, backup)
            async with self._retiring_stopped(context, lane):
                self._refuse_while_stopping()
                record = pipeline.begin_restore(context, replace(new_request(app, kind, by), ref=backup))
                work = pipeline.restore(context, self._events, record, lane.interrupter)
                await self._carry_out(lane, record, work)
            return self._journal.deployment(record.id)

    async def _carry_out(self, lane: Lane, record: Deployment, work: Coroutine[Any, Any, Deployment]) -> None:
        """Run the work in a task of its own to its end, then start to retire the old colour."""
        lane.running, lane.cancelling = record, False
        lane.work = task = asyncio.create_task(work)
        try:
            ended = await to_its_end(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            work.close()
            ended = await in_spite_of_cancels(self._unheard_end(record.id, lane.interrupter()))
        finally:
            lane.running = lane.work = None
        if ended.state is State.LIVE:
            self.retire(self._context(ended.app), ended)

    def retire(self, context: AppContext, deployment: Deployment) -> None:
        """Start to retire the old colour, in the background."""
        if self._stopping:
            return
        lane = self._lane(context.name)
        lane.retiring = asyncio.create_task(self._retire(context, deployment))

    def retire_again(self, context: AppContext) -> None:
        """Retire the active release if that was begun and did not end. Raises JournalError."""
        unfinished = [one for one in self._journal.unfinished() if one.app == context.name]
        not_retired = next((one for one in unfinished if one.state is State.LIVE), None)
        if not_retired and not self._lane(context.name).is_retiring:
            self.retire(context, not_retired)

    def wait_for_recovery(self, app: str) -> None:
        """Begin nothing for this app until `recovered`."""
        self._lane(app).unrecovered = True

    def recovered(self, app: str) -> None:
        self._lane(app).unrecovered = False

    @asynccontextmanager
    async def turn_of(self, app: str) -> AsyncIterator[None]:
        """While this is held, nothing of the app runs or begins; retiring, which may be under way, has ended."""
        lane = self._lane(app)
        async with lane.turn:
            while lane.retiring and lane.is_retiring:
                await asyncio.wait([lane.retiring])
            yield

    def busy_with(self, app: str) -> Deployment | None:
        """The app's running deployment, or else its queued one."""
        lane = self._lane(app)
        return lane.running or lane.waiting

    def doing(self, app: str) -> str:
        """What is queued or under way for this app, for people; empty if nothing is."""
        return self._lane(app).doing

    async def stop(self) -> None:
        """Cancel all tasks, wait for their end, and start no others.

        Running deployments are compensated. The next start runs queued ones, and retires what is not retired.
        """
        self._stopping = True
        for lane in self._lanes.values():
            lane.waiting = None
        while under_way := [task for lane in self._lanes.values() for task in lane.tasks if not task.done()]:
            for task in under_way:
                task.cancel()
            await asyncio.wait(under_way)

    def _lane(self, app: str) -> Lane:
        return self._lanes.setdefault(app, Lane())

    async def _work(self, app: str) -> None:
        lane = self._lane(app)
        while lane.waiting:
            if lane.retiring and lane.is_retiring:
                # The old colour still drains: its container is the standby, which this deployment would replace.
                await asyncio.wait([lane.retiring])
            async with lane.turn:
                if lane.is_retiring:
                    continue  # a rollback ran first, and its old colour is draining
                deployment, lane.waiting = lane.waiting, None
                if deployment:
                    await self._deploy(lane, deployment)

    async def _deploy(self, lane: Lane, deployment: Deployment) -> None:
        try:
            context = self._context(deployment.app)
        except UnknownApp as error:
            # The app was removed from the configuration while the deployment was queued.
            await self._end(deployment, State.FAILED, error)
            return
        try:
            await self._carry_out(
                lane, deployment, pipeline.deploy(context, self._events, deployment, lane.interrupter)
            )
        except Exception:
            # A defect in Changeover. The deployment is compensated; the queue continues.
            log.exception("deployment failed unexpectedly", app=deployment.app, deployment=deployment.id)

    async def _unheard_end(self, deployment_id: str, by: Interrupter) -> Deployment:
        """The end of work that was cancelled before its first step or after its last one."""
        recorded = await patiently(lambda: self._journal.deployment(deployment_id))
        if recorded.state.ended:
            return recorded
        return await self._end(replace(recorded, interrupted_by=by), State.CANCELLED)

    async def _end(self, deployment: Deployment, state: State, error: ChangeoverError | None = None) -> Deployment:
        """End a deployment that has not begun."""
        failure = Failure(StepName.PREPARE, error.cause, error.remedy) if error else None
        ended = replace(deployment, state=state, failure=failure, ended_at=now())
        await patiently(lambda: self._journal.save(ended))
        happened = Failed(failure.step, failure.cause) if failure else Cancelled()
        await patiently(lambda: self._events.publish(happened, deployment.app, deployment.id))
        return ended

    async def _retire(self, context: AppContext, deployment: Deployment) -> None:
        try:
            await pipeline.retire(context, self._events, deployment)
        except Exception:
            # The release stays live. The next deployment retires again.
            log.exception("retire failed unexpectedly", app=context.name, deployment=deployment.id)

    def _refuse_while_stopping(self) -> None:
        if self._stopping:
            raise Refused("The orchestrator is being stopped.", "Try again when it runs again.")

    @asynccontextmanager
    async def _retiring_stopped(self, context: AppContext, lane: Lane) -> AsyncIterator[None]:
        """Stop retiring the active release; begin again at the end if it is still the active one."""
        if lane.retiring and lane.is_retiring:
            lane.retiring.cancel()
            with suppress(asyncio.CancelledError):
                await lane.retiring
        try:
            yield
        finally:
            await patiently(lambda: self.retire_again(context))

    def _end_queued(self, deployment: Deployment, state: State, by: Interrupter | None = None) -> None:
        """End a deployment that has not begun. Raises JournalError."""
        self._journal.save(replace(deployment, state=state, interrupted_by=by, ended_at=now()))
        self._tell(Superseded() if state is State.SUPERSEDED else Cancelled(), deployment)

    def _tell(self, happened: Occurrence, deployment: Deployment) -> None:
        """Publish what is already done: that this cannot be recorded must not undo half of it."""
        try:
            self._events.publish(happened, deployment.app, deployment.id)
        except JournalError as error:
            log.warning("event not recorded", deployment=deployment.id, cause=error.cause)

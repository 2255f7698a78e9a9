"""The scheduler: one deployment per app at a time. A queued deployment is superseded by a newer request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import structlog

from orchestrator.app_data import backups
from orchestrator.apps.context import AppContext
from orchestrator.deploy import after_failure, pipeline
from orchestrator.deploy import request as requests
from orchestrator.deploy.endings import Endings
from orchestrator.deploy.lane import Lane, has_ended
from orchestrator.deploy.request import new_request, refuse_another_standby, refuse_where_rollback_is_off
from orchestrator.deploy.standby import awakened, find_standby
from orchestrator.deploy.turn_wait import drains_in_words, until_retired
from orchestrator.domain.deployment import Deployment, Interrupter, Kind, State
from orchestrator.domain.events import Queued
from orchestrator.errors import Refused, UnknownApp
from orchestrator.events.stream import EventStream
from orchestrator.host.uninterrupted import in_spite_of_cancels, to_its_end, until_ended
from orchestrator.journal.retry import patiently
from orchestrator.journal.store import Journal

log = structlog.get_logger()


class Scheduler:
    """Accepts requests for deployments, rollbacks and restores, and runs them. Each app has its own lane."""

    def __init__(self, journal: Journal, events: EventStream, context: Callable[[str], AppContext]) -> None:
        self._journal = journal
        self._events = events
        self._endings = Endings(journal, events)
        self._context = context
        self._lanes: dict[str, Lane] = {}
        self._stopping = False

    async def request(
        self,
        app: str,
        ref: str,
        by: str,
        idempotency_key: str | None = None,
        *,
        migrate: bool = False,
        force: bool = False,
        still: Callable[[], bool] = lambda: True,
    ) -> Deployment:
        """Record and queue a deployment. The same idempotency key returns the same deployment again.

        `migrate` allows migrations although `update.migrations.auto_run` is off; `force` deploys what is live; `still`
        says, when its turn has come, whether it is wanted yet. Raises UnknownApp, Refused or JournalError.
        """
        self._context(app)
        lane = self._lane(app)
        async with lane.asking:
            known = await self._journal.beside(self._journal.with_key, app, idempotency_key)
            if known:
                if known.state is State.QUEUED and not lane.will_run(known):
                    await self._queue_again(lane, known)  # it was recorded, and the request failed before it was queued
                return self._journal.deployment(known.id)
            await lane.until_recovered(app)
            self._refuse_while_stopping()
            requests.refuse_outrun(app, still)
            deployment = replace(new_request(app, Kind.DEPLOY, by), ref=ref, migrate=migrate, forced=force)
            return await to_its_end(self._recorded_and_queued(lane, deployment, idempotency_key))

    async def queue_again(self, deployment: Deployment) -> None:
        """Queue what was recorded and did not begin; supersede it if a newer one has begun. Raises JournalError."""
        async with (lane := self._lane(deployment.app)).asking:
            await self._queue_again(lane, deployment)

    async def cancel(self, deployment_id: str) -> Deployment:
        """Cancel a queued or running deployment, rollback or restore, and return it as recorded.

        Raises UnknownDeployment, and Refused when it has ended, its step switch has begun, or it is being cancelled.
        """
        app = (await self._journal.beside(self._journal.deployment, deployment_id)).app
        lane = self._lane(app)
        async with lane.asking:
            # No await between this and the cancel of what runs: a switch that begins cannot be cancelled.
            deployment = self._journal.deployment(deployment_id)
            if lane.waiting and lane.waiting.id == deployment_id:
                # Without a cancel in between: what is recorded as cancelled must not begin.
                taken, lane.waiting = lane.waiting, None
                await to_its_end(self._end_taken(lane, taken, State.CANCELLED, Interrupter.PERSON))
            elif lane.running and lane.running.id == deployment_id and lane.work:
                lane.cancel_running(deployment)
            elif deployment.state is State.QUEUED:
                await self._endings.of_queued(deployment, State.CANCELLED, Interrupter.PERSON)
            else:
                raise has_ended(deployment)
        return self._journal.deployment(deployment_id)

    async def roll_back(self, app: str, by: str, shown: str = "") -> Deployment:
        """Roll back to the standby now, and return the rollback as recorded. `shown` is the standby's container, if a
        person confirmed it.

        Continues when the calling task is cancelled. Raises UnknownApp, and Refused when rollback is off, there is no
        usable standby, or the app is busy.
        """
        context, lane = self._context(app), self._lane(app)
        refuse_where_rollback_is_off(context)
        lane.refuse_if_busy(context)
        async with lane.turn:
            standby = await find_standby(context)
            refuse_another_standby(context, standby.deployment, shown)
            async with self._retiring_stopped(context, lane):
                self._refuse_while_stopping()
                begun = pipeline.begin_roll_back(context, new_request(app, Kind.ROLLBACK, by), standby)
                async with awakened(context, standby, begun) as (record, standby):
                    work = pipeline.roll_back(context, self._events, record, standby, lane.interrupter)
                    await self._carry_out(lane, record, work)
            return self._journal.deployment(record.id)

    async def restore(self, app: str, backup: str, by: str, kind: Kind, *, release: bool = False) -> Deployment:
        """Restore a backup and run the active release (Kind.RESTORE), that of the backup (with `release`) or the
        standby (Kind.ROLLBACK) on it.

        Returns the record. Continues when the calling task is cancelled. Raises UnknownApp, UnknownBackup, StepFailed
        when the backup's manifest cannot be read, and Refused when the app is busy, has no such release, or it is a
        rollback and rollback is off.
        """
        lane = self._lane(app)
        async with lane.turn_after_recovery(self._context(app)):
            context = self._context(app)  # another one, if it was configured anew meanwhile
            if kind is Kind.ROLLBACK:
                refuse_where_rollback_is_off(context)
            await backups.find(context, backup)
            async with self._retiring_stopped(context, lane):
                self._refuse_while_stopping()
                asked = replace(new_request(app, kind, by), ref=backup, brings_release=release)
                record = await in_spite_of_cancels(pipeline.begin_restore(context, asked))
                work = pipeline.restore(context, self._events, record, lane.interrupter)
                await self._carry_out(lane, record, work)
            return self._journal.deployment(record.id)

    async def _carry_out(self, lane: Lane, record: Deployment, work: Coroutine[Any, Any, Deployment]) -> None:
        """Run the work in a task of its own to its end, then start to retire the old colour."""
        lane.running, lane.cancelling = record, False
        lane.work = task = asyncio.create_task(work)
        if self._stopping:
            task.cancel()  # `stop` came between the record and here
        try:
            ended = await to_its_end(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            work.close()
            ended = await in_spite_of_cancels(self._endings.unheard(record.id, lane.interrupter()))
        finally:
            lane.running = lane.work = None
        if ended.state is State.LIVE:
            self.retire(self._context(ended.app), ended)
        elif after_failure.has_left_an_image(ended) and not (self._stopping or lane.is_retiring):
            lane.afterwards(*after_failure.removal(self._context, ended))

    def retire(self, context: AppContext, deployment: Deployment) -> None:
        """Start to retire the old colour, in the background."""
        if not self._stopping:
            says = drains_in_words(context, deployment)
            self._lane(context.name).afterwards(says, self._retire(context, deployment))

    async def retire_again(self, context: AppContext) -> None:
        """Retire the active release if that did not end. Whoever calls this has the turn. Raises JournalError."""
        unfinished = await self._journal.beside(self._journal.unfinished)
        not_retired = next((one for one in unfinished if one.app == context.name and one.state is State.LIVE), None)
        has_ended_since = not_retired is None or self._journal.deployment(not_retired.id).ended_at
        if not_retired and not has_ended_since and not self._lane(context.name).is_retiring:
            self.retire(context, not_retired)

    def wait_for_recovery(self, app: str) -> None:
        """Begin nothing for this app until `recovered`."""
        self._lane(app).recovered.clear()

    @asynccontextmanager
    async def turn_of(self, app: str) -> AsyncIterator[None]:
        """While this is held, nothing of the app runs or begins; retiring, which may be under way, has ended."""
        async with (lane := self._lane(app)).turn:
            while lane.retiring and lane.is_retiring:
                await asyncio.wait([lane.retiring])
            yield

    def busy_with(self, app: str) -> Deployment | None:
        """The app's running deployment, or else its queued one."""
        return self._lane(app).running or self._lane(app).waiting

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
        await asyncio.gather(*(lane.until_idle() for lane in list(self._lanes.values())))

    def _lane(self, app: str) -> Lane:
        return self._lanes.setdefault(app, Lane())

    lane_of = _lane

    async def _work(self, app: str) -> None:
        while (lane := self._lane(app)).waiting:
            await until_retired(lane, self._endings.tell)
            async with lane.turn:
                if lane.is_retiring:
                    continue  # a rollback ran first, and its old colour is draining
                deployment, lane.waiting = lane.waiting, None
                if deployment:
                    await self._deploy(lane, deployment)

    async def _deploy(self, lane: Lane, deployment: Deployment) -> None:
        if requests.would_begin_again(self._journal, deployment):
            return
        try:
            context = self._context(deployment.app)
        except UnknownApp as error:  # it was removed from the configuration while the deployment was queued
            await self._endings.failed_unbegun(deployment, error)
            return
        work = pipeline.deploy(context, self._events, deployment, lane.interrupter)
        try:
            await self._carry_out(lane, deployment, work)
        except Exception:  # a defect in Changeover: the deployment is compensated, and the queue continues
            log.exception("deployment failed unexpectedly", app=deployment.app, deployment=deployment.id)

    async def _retire(self, context: AppContext, deployment: Deployment) -> None:
        try:
            await pipeline.retire(context, self._events, deployment)
        except Exception:  # the release stays live; the next deployment retires again
            log.exception("retire failed unexpectedly", app=context.name, deployment=deployment.id)

    def _refuse_while_stopping(self) -> None:
        if self._stopping:
            raise Refused("The orchestrator is being stopped.", "Try again when it runs again.")

    @asynccontextmanager
    async def _retiring_stopped(self, context: AppContext, lane: Lane) -> AsyncIterator[None]:
        """Stop retiring the active release; begin again at the end if it is still the active one."""
        if lane.retiring and lane.is_retiring:
            lane.retiring.cancel()
            await until_ended(lane.retiring)
        try:
            yield
        finally:
            await patiently(lambda: self.retire_again(context))

    async def _enqueue(self, lane: Lane, deployment: Deployment) -> None:
        """Queue a recorded deployment. Of it and those of the app that are queued or run already, the newest request
        is carried out; one that waits for longer is superseded. Raises JournalError; then nothing is queued.
        """
        if lane.has_newer(deployment):
            await self._endings.of_queued(deployment, State.SUPERSEDED)
            return
        if lane.waiting and lane.waiting.id != deployment.id:
            taken, lane.waiting = lane.waiting, None
            await to_its_end(self._end_taken(lane, taken, State.SUPERSEDED))
        if self._let_wait(lane, deployment):
            await self._endings.tell(Queued(deployment.requested_by), deployment)

    async def _recorded_and_queued(self, lane: Lane, deployment: Deployment, key: str | None) -> Deployment:
        """Without a cancel in between: nothing would begin what is recorded and not queued. Raises JournalError."""
        await self._enqueue(lane, recorded := await self._journal.beside(self._journal.add, deployment, key))
        return recorded

    async def _queue_again(self, lane: Lane, deployment: Deployment) -> None:
        # It may have been queued, and have ended, since the caller has read of it.
        if lane.has(deployment) or await self._journal.beside(requests.has_begun, self._journal, deployment):
            return
        if await self._journal.beside(requests.is_outdated, self._journal, deployment):
            await self._endings.of_queued(deployment, State.SUPERSEDED)
        else:
            await self._enqueue(lane, deployment)

    def _let_wait(self, lane: Lane, deployment: Deployment) -> bool:
        if not self._stopping:
            lane.waiting = deployment
            if lane.queue is None or lane.queue.done():
                lane.queue = asyncio.create_task(self._work(deployment.app))
        return not self._stopping

    async def _end_taken(self, lane: Lane, taken: Deployment, state: State, by: Interrupter | None = None) -> None:
        """End what has waited, and was taken so that it does not begin meanwhile. It waits again if that fails."""
        try:
            await self._endings.of_queued(taken, state, by)
        except BaseException:
            self._let_wait(lane, taken)
            raise

"""The scheduler: one deployment per app at a time. A queued deployment is superseded by a newer request."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

import structlog

from orchestrator.app_data import backups
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.deploy import pipeline
from orchestrator.deploy.standby import find_standby
from orchestrator.deploy.switch_outcome import may_be_cancelled
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.events import Cancelled, Queued, Superseded
from orchestrator.errors import Refused
from orchestrator.events.stream import EventStream
from orchestrator.journal.store import Journal

log = structlog.get_logger()


@dataclass
class Lane:
    """The work of one app: the queued deployment, the running one, and the retiring of the old colour.

    A deployment, a rollback and a restore lock `turn` while they run.
    """

    waiting: Deployment | None = None
    running: Deployment | None = None
    task: asyncio.Task[None] | None = None
    retiring: asyncio.Task[None] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class Scheduler:
    """Accepts requests for deployments, rollbacks and restores, and runs them. Each app has its own lane."""

    def __init__(self, journal: Journal, events: EventStream, context: Callable[[str], AppContext]) -> None:
        self._journal = journal
        self._events = events
        self._context = context
        self._lanes: dict[str, Lane] = {}

    def request(
        self, app: str, ref: str, by: str, idempotency_key: str | None = None, *, migrate: bool = False
    ) -> Deployment:
        """Record and queue a deployment. The same idempotency key returns the same deployment again.

        `migrate` allows migrations although `update.migrations.auto_run` is off. Raises UnknownApp or JournalError.
        """
        if idempotency_key and (known := self._journal.with_key(idempotency_key)):
            return known
        self._context(app)
        deployment = replace(_new(app, Kind.DEPLOY, by), ref=ref, migrate=migrate)
        self._journal.add(deployment, idempotency_key)
        self.enqueue(deployment)
        return deployment

    def enqueue(self, deployment: Deployment) -> None:
        """Queue a recorded deployment; one of the same app that is queued already is superseded."""
        lane = self._lane(deployment.app)
        if lane.waiting:
            self._end_waiting(lane, State.SUPERSEDED)
        lane.waiting = deployment
        if lane.task is None or lane.task.done():
            lane.task = asyncio.create_task(self._work(deployment.app))
        self._events.publish(Queued(deployment.requested_by), deployment.app, deployment.id)

    def cancel(self, deployment_id: str) -> Deployment:
        """Cancel a queued or running deployment, and return it as recorded.

        Raises UnknownDeployment, and Refused when it has ended or its step switch has begun.
        """
        deployment = self._journal.deployment(deployment_id)
        lane = self._lane(deployment.app)
        if lane.waiting and lane.waiting.id == deployment_id:
            self._end_waiting(lane, State.CANCELLED)
        elif lane.running and lane.running.id == deployment_id and lane.task:
            if not may_be_cancelled(deployment):
                raise Refused(
                    f"Deployment {deployment_id} cannot be cancelled: it is switching traffic.",
                    f"Roll back when it is live: changeover rollback {deployment.app}",
                )
            lane.task.cancel()
        else:
            raise Refused(f"Deployment {deployment_id} cannot be cancelled: it has ended as {deployment.state}.")
        return self._journal.deployment(deployment_id)

    async def roll_back(self, app: str, by: str) -> Deployment:
        """Roll back to the standby now, and return the rollback as recorded.

        Raises UnknownApp, and Refused when rollback is off, there is no usable standby, or the app is busy.
        """
        context, lane = self._context(app), self._lane(app)
        if not context.config.update.rollback.enabled:
            raise Refused(f"Rollback of {app} is off (update.rollback.enabled).", "Set it to true to allow rollbacks.")
        if lane.turn.locked():
            raise _busy(app, lane.running)
        async with lane.turn:
            standby = await find_standby(context)
            await self._stop_retiring(lane)
            record = _new(app, Kind.ROLLBACK, by)
            record = await pipeline.roll_back(context, self._events, record, standby)
            if record.state is State.LIVE:
                self.retire(context, record)
        return self._journal.deployment(record.id)

    async def restore(self, app: str, backup: str, by: str, kind: Kind) -> Deployment:
        """Restore a backup and run the active release (Kind.RESTORE) or the standby (Kind.ROLLBACK) on it.

        Returns the record. Raises UnknownApp, UnknownBackup, StepFailed when the backup's manifest cannot be read, and
        Refused when the app is busy or has no such release.
        """
        context, lane = self._context(app), self._lane(app)
        if lane.turn.locked():
            raise _busy(app, lane.running)
        async with lane.turn:
            await backups.find(context, backup)
            await self._stop_retiring(lane)
            record = await pipeline.restore(context, self._events, replace(_new(app, kind, by), ref=backup))
            if record.state is State.LIVE:
                self.retire(context, record)
        return self._journal.deployment(record.id)

    def retire(self, context: AppContext, deployment: Deployment) -> None:
        """Start to retire the old colour, in the background."""
        lane = self._lane(context.name)
        lane.retiring = asyncio.create_task(self._retire(context, deployment))

    def busy_with(self, app: str) -> Deployment | None:
        """The app's running deployment, or else its queued one."""
        lane = self._lane(app)
        return lane.running or lane.waiting

    async def stop(self) -> None:
        """Cancel the running tasks and wait for their end. Queued deployments are run after the next start."""
        for lane in self._lanes.values():
            lane.waiting = None
            for task in (lane.task, lane.retiring):
                if task and not task.done():
                    task.cancel()
                    with suppress(asyncio.CancelledError):
                        await task

    def _lane(self, app: str) -> Lane:
        return self._lanes.setdefault(app, Lane())

    async def _work(self, app: str) -> None:
        lane = self._lane(app)
        while lane.waiting:
            if lane.retiring and not lane.retiring.done():
                # The old colour still drains: its container is the standby, which this deployment would replace.
                await asyncio.wait([lane.retiring])
            async with lane.turn:
                if lane.retiring and not lane.retiring.done():
                    continue  # a rollback ran first, and its old colour is draining
                deployment, lane.waiting = lane.waiting, None
                if deployment:
                    await self._deploy(lane, deployment)

    async def _deploy(self, lane: Lane, deployment: Deployment) -> None:
        context = self._context(deployment.app)
        lane.running = deployment
        try:
            deployment = await pipeline.deploy(context, self._events, deployment)
        except Exception:
            log.exception("deployment failed unexpectedly", app=context.name, deployment=deployment.id)
        finally:
            lane.running = None
        if deployment.state is State.LIVE:
            self.retire(context, deployment)

    async def _retire(self, context: AppContext, deployment: Deployment) -> None:
        try:
            await pipeline.retire(context, self._events, deployment)
        except Exception:
            # The release stays live. The next deployment retires again.
            log.exception("retire failed unexpectedly", app=context.name, deployment=deployment.id)

    @staticmethod
    async def _stop_retiring(lane: Lane) -> None:
        if lane.retiring and not lane.retiring.done():
            lane.retiring.cancel()
            with suppress(asyncio.CancelledError):
                await lane.retiring

    def _end_waiting(self, lane: Lane, state: State) -> None:
        if lane.waiting:
            ended = replace(lane.waiting, state=state, ended_at=now())
            self._journal.save(ended)
            happened = Superseded() if state is State.SUPERSEDED else Cancelled()
            self._events.publish(happened, ended.app, ended.id)
            lane.waiting = None


def _busy(app: str, running: Deployment | None) -> Refused:
    if running is None:
        return Refused(f"A rollback or restore of {app} is running.", "Wait until it has ended: changeover status")
    return Refused(
        f"Deployment {running.id} of {app} is running, requested at {running.requested_at:%H:%M:%S} UTC "
        f"by {running.requested_by}.",
        f"Wait until it has ended, or cancel it: changeover cancel {running.id}",
    )


def _new(app: str, kind: Kind, by: str) -> Deployment:
    return Deployment(
        id=secrets.token_hex(4), app=app, kind=kind, state=State.QUEUED, requested_by=by, requested_at=now()
    )

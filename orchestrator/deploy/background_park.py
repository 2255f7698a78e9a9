"""Parking standbys in the background: what runs or is stopped although it is to be paused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.apps.drain import drain
from orchestrator.deploy.park import park
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.errors import ChangeoverError

log = structlog.get_logger()

MOST_AT_ONCE = 4
"""After a restart of the host every app's standby is started, and a sidecar beside it: not a hundred at once."""
LATER_S = 5.0
AGAIN_S = 30.0


class Parking:
    """Parks at most MOST_AT_ONCE standbys at the same time. `due` has an app looked at again. Used on the event loop
    only."""

    def __init__(self, scheduler: Scheduler, due: Callable[[str], None]) -> None:
        self._scheduler = scheduler
        self._due = due
        self._under_way: set[asyncio.Task[None]] = set()

    def begin(self, context: AppContext) -> None:
        """Park the app's standby in the background, where a rollback can stop it and a deployment waits for it; later,
        if something of the app runs, or too much does."""
        lane = self._scheduler.lane_of(context.name)
        if len(self._under_way) >= MOST_AT_ONCE or not lane.tend(lambda: self._drain_and_park(context)):
            self._look_again(context, LATER_S)
        elif task := lane.retiring:
            self._under_way.add(task)
            task.add_done_callback(lambda ended: self._ended(context, ended))

    async def _drain_and_park(self, context: AppContext) -> None:
        try:
            active, standby = context.active, context.standby
            if active and standby:
                await drain(context, standby, said_by=active)
                await park(context, standby, said_by=active)
        except Exception as error:
            trace = not isinstance(error, ChangeoverError)
            log.warning("standby not parked", app=context.name, cause=str(error), exc_info=trace)
            self._look_again(context, AGAIN_S)

    def _ended(self, context: AppContext, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        if task.cancelled():
            # By a rollback or restore, which may be refused yet; also before the task's first step.
            self._look_again(context, LATER_S)

    def _look_again(self, context: AppContext, in_s: float) -> None:
        asyncio.get_running_loop().call_later(in_s, self._due, context.name)

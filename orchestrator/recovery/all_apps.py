"""The recovery of all apps at the start, and again of those for which it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.events import RecoveryFailed
from orchestrator.errors import ChangeoverError
from orchestrator.events.stream import EventStream
from orchestrator.proxy.base import Proxy
from orchestrator.recovery import resume

log = structlog.get_logger()

AGAIN_AFTER_S = 5.0
AT_LEAST_EVERY_S = 120.0


@dataclass
class Progress:
    """How far an app is recovered. Each stage is done once per process: what comes after may have begun new work."""

    finished: bool = False
    """What was interrupted is finished or undone. Before this, nothing new may begin."""
    brought_back: bool = False
    """The active release has the traffic."""
    resumed: bool = False
    """Its paused requests are resumed. After this, only new work pauses them."""
    goes_on: bool = False
    """Its queued work is queued again."""
    problem: str = ""
    """Why the next stage failed."""


class Recovery:
    """Recovers each app once. An app for which it fails does not stop the others, and is tried again.

    `brought_back` is called with an app's name when its active release has the traffic again.
    """

    def __init__(
        self,
        apps: Callable[[], list[AppContext]],
        proxy: Proxy,
        events: EventStream,
        scheduler: Scheduler,
        brought_back: Callable[[str], None],
    ) -> None:
        self._apps = apps
        self._proxy = proxy
        self._events = events
        self._scheduler = scheduler
        self._brought_back = brought_back
        self._progress: dict[str, Progress] = {}

    def problem(self, app: str) -> str:
        """Why the app is not recovered yet; empty if it is."""
        return self._of(app).problem

    async def recover_all(self) -> None:
        """Finish what was interrupted, and bring the active releases back. Failures are recorded and published."""
        for context in self._apps():
            await self._recover(context)

    async def go_on(self) -> None:
        """Resume the paused requests of recovered apps, then continue their queued work.

        Requests that are paused for a schema change wait until it is finished or undone, and new work may pause them
        again: so this comes after recovery, and an app is resumed before it goes on. Raises ProxyError or JournalError.
        """
        for paused in await self._proxy.paused():
            progress = self._of(paused)
            if not progress.problem and not progress.resumed:
                await self._proxy.resume(paused)
        for context in self._apps():
            self._of(context.name).resumed = not self.problem(context.name)
            self._go_on(context)

    async def keep_recovering(self) -> None:
        """Recover the rest, also of apps that were not configured for a time. Never returns."""
        while True:
            await self.recover_the_rest()
            await asyncio.sleep(AT_LEAST_EVERY_S)

    async def recover_the_rest(self) -> None:
        """Try the apps that are not recovered yet again, with growing pauses, until all are."""
        pause = AGAIN_AFTER_S
        while self._not_recovered():
            await asyncio.sleep(pause)
            pause = min(pause * 2, AT_LEAST_EVERY_S)
            for context in self._not_recovered():
                if self._scheduler.busy_with(context.name) is None:
                    await self._recover_again(context)

    def _not_recovered(self) -> list[AppContext]:
        return [context for context in self._apps() if self.problem(context.name)]

    async def _recover_again(self, context: AppContext) -> None:
        progress = self._of(context.name)
        async with self._scheduler.turn_of(context.name):
            await self._recover(context)
            try:
                if progress.brought_back and context.name in await self._proxy.paused():
                    await self._proxy.resume(context.name)
                self._go_on(context)
            except ChangeoverError as error:
                self._failed(context, error)

    async def _recover(self, context: AppContext) -> None:
        progress = self._of(context.name)
        if progress.brought_back:
            progress.problem = ""
            return
        try:
            if not progress.finished:
                self._scheduler.wait_for_recovery(context.name)
                await resume.finish_interrupted(context, self._events)
                progress.finished = True
                self._scheduler.recovered(context.name)
            await resume.bring_back(context)
        except ChangeoverError as error:
            self._failed(context, error)
        else:
            progress.brought_back, progress.problem = True, ""
            self._brought_back(context.name)

    def _failed(self, context: AppContext, error: ChangeoverError) -> None:
        progress = self._of(context.name)
        log.error("recovery failed", app=context.name, cause=error.cause, remedy=error.remedy)
        told, progress.problem = progress.problem, str(error)
        if told != progress.problem:
            self._events.publish(RecoveryFailed(error.cause, error.remedy), context.name)

    def _go_on(self, context: AppContext) -> None:
        progress = self._of(context.name)
        if progress.finished and not progress.goes_on:
            resume.go_on(context, self._scheduler)
            progress.goes_on = True

    def _of(self, app: str) -> Progress:
        return self._progress.setdefault(app, Progress())

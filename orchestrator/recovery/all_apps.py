"""The recovery of all apps: at the start, of apps that are configured later, and again where it failed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.events import RecoveryFailed
from orchestrator.engine.base import ContainerEvent, Role
from orchestrator.errors import ChangeoverError, EngineError, JournalError
from orchestrator.events.stream import EventStream
from orchestrator.proxy.base import Proxy
from orchestrator.recovery import left_behind, lost, rebuilt_image, resume
from orchestrator.recovery.progress import Progress

log = structlog.get_logger()

PATIENCE_S = 20.0
"""How long the start waits for the recovery of all apps. What takes longer goes on beside it."""
BRING_BACK_WITHIN_S = 600.0
"""How long an app may take until it is ready, however often it reports progress. Then it is tried again."""
AGAIN_AFTER_S = 5.0
LOOK_EVERY_S = 20.0
"""How often it is looked at least whether the active containers exist."""
AT_LEAST_EVERY_S = 120.0


class Recovery:
    """Recovers each app once, by itself: an app for which it fails or takes long keeps no other one waiting.

    While an app is recovered, nothing else of it runs: its turn in the scheduler is held. An app that fails is tried
    again. `brought_back` is called with an app's name when its active release has the traffic again. Used on the event
    loop alone; `stop` cancels what is under way, and the next start finishes it.
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
        self._may_go_on = False
        self._started = asyncio.Event()
        self._removed = asyncio.Event()

    def problem(self, app: str) -> str:
        """Why the app is not recovered yet; empty if it is."""
        return "it is being recovered, and not ready yet." if self.is_at_first_try(app) else self._seen(app).problem

    def is_at_first_try(self, app: str) -> bool:
        """Whether the app is being recovered, and nothing of that has failed."""
        return self._seen(app).is_at_first_try

    def concerns(self, active: Deployment) -> bool:
        """Whether this deployment, which is active now, was active already when its app was tried to be recovered."""
        return self._seen(active.app).active in ("", active.id)

    def is_finished(self, app: str) -> bool:
        """Whether nothing of the app is interrupted any more by a stop of an earlier process."""
        return self._seen(app).finished

    async def recover_all(self) -> None:
        """Recover all apps at the same time. Returns when all are, or after PATIENCE_S. Failures are recorded."""
        for context in self._apps():
            self._begin(context)
        await self._wait()

    async def go_on(self) -> None:
        """Resume the paused requests of recovered apps, then continue their queued work.

        Requests that are paused for a schema change wait until it is finished or undone, and new work may pause them
        again: so this comes after recovery, and an app is resumed before it goes on. Apps that are recovered later, or
        of which something is under way already, go on by themselves. Raises ProxyError or JournalError.
        """
        self._may_go_on = True
        paused = await self._proxy.paused()
        for app in paused - {context.name for context in self._apps()}:
            await self._proxy.resume(app)
        for context in self._apps():
            if self._scheduler.doing(context.name):
                self._goes_on_later(context)
            else:
                async with self._scheduler.turn_of(context.name):
                    await self._go_on(context, paused)

    def expect(self) -> None:
        """There are other apps now: nothing begins for those that are new before `configured` has recovered them."""
        if not self._may_go_on:
            return  # at the start, nothing can be asked for before all apps are recovered
        for context in self._apps():
            if context.name not in self._progress:
                self._scheduler.wait_for_recovery(context.name)

    def configured(self) -> None:
        """The configuration has changed: recover the apps that it has anew, and forget those that it lacks."""
        contexts = self._apps()
        for name in set(self._progress) - {context.name for context in contexts}:
            if not self._progress[name].is_under_way:
                del self._progress[name]
        for context in contexts:
            if context.name not in self._progress:
                self._begin(context)

    async def keep_recovering(self) -> None:
        """Recover the rest, again and again. Never returns."""
        while True:
            await self.recover_the_rest()
            await asyncio.sleep(LOOK_EVERY_S)

    async def keep_looking(self) -> None:
        """Bring back apps whose active container was removed, and remove what ended work has left, also while other
        apps are not recovered. Never returns."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY_S):
                    await self._removed.wait()
            self._removed.clear()
            await self._look_for_lost()

    async def recover_the_rest(self) -> None:
        """Try the apps that are not recovered yet again, with growing pauses, until all are."""
        pause = AGAIN_AFTER_S
        while any(self.problem(context.name) for context in self._apps()):
            await self._until_due(pause)
            pause = min(pause * 2, AT_LEAST_EVERY_S)
            for context in self._apps():
                if self.problem(context.name) and self._scheduler.busy_with(context.name) is None:
                    self._begin(context)
            await self._wait()

    def heard(self, event: ContainerEvent) -> None:
        """A container that the engine starts again may be ready at last, so that its app is tried again soon; one that
        was removed may be an active one, and an active one is never paused by us."""
        if event.role == Role.APP and (event.action == "destroy" or self._pauses_active(event)):
            self._removed.set()
        if event.action == "start" and event.app in self._progress and self._progress[event.app].problem:
            self._started.set()

    def missed(self) -> None:
        self._started.set()
        self._removed.set()

    async def _until_due(self, pause_s: float) -> None:
        """After `pause_s` seconds, or sooner, when a container of an app that is not recovered was started. Never at
        once, because each try may start one itself."""
        self._started.clear()
        await asyncio.sleep(min(pause_s, AGAIN_AFTER_S))
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s - AGAIN_AFTER_S):
                await self._started.wait()

    async def _look_for_lost(self) -> None:
        """Bring back the apps whose active container is lost, unless something is under way."""
        contexts = self._apps()
        try:
            found = await contexts[0].engine.placed() if contexts else []
            for known in contexts:
                context = self._current(known)
                if context is None or context.name not in self._progress or self.problem(context.name):
                    continue  # it is gone; or new; or it is tried again, with growing pauses
                if await lost.is_still_lost(context, found) and not self._scheduler.doing(context.name):
                    log.error("active container is gone, paused or elsewhere", app=context.name)
                    self._of(context.name).brought_back = False
                    self._begin(context)
                else:
                    await left_behind.remove(context, found, self._scheduler)
        except EngineError as error:
            log.warning("containers not known", cause=error.cause)

    def _current(self, context: AppContext) -> AppContext | None:
        """The app as it is configured now. None if it was taken out of the configuration."""
        return next((one for one in self._apps() if one.name == context.name), None)

    def _pauses_active(self, event: ContainerEvent) -> bool:
        actives = [one.active.container for one in self._apps() if one.active]
        return event.action == "pause" and event.container in actives

    async def stop(self) -> None:
        """Cancel what is under way, and wait for its end."""
        if tasks := self._under_way():
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def _begin(self, context: AppContext) -> None:
        progress = self._of(context.name)
        if progress.problem or not progress.brought_back:
            self._goes_on_later(context)

    def _goes_on_later(self, context: AppContext) -> None:
        """When it has its turn. What is left of its recovery comes first."""
        progress = self._of(context.name)
        if not progress.is_under_way:
            progress.task = asyncio.create_task(self._alone(context), name=f"recovery of {context.name}")

    async def _wait(self) -> None:
        if tasks := self._under_way():
            await asyncio.wait(tasks, timeout=PATIENCE_S)

    def _under_way(self) -> list[asyncio.Task[None]]:
        return [one.task for one in self._progress.values() if one.task and one.is_under_way]

    async def _alone(self, context: AppContext) -> None:
        """Recover one app. No error leaves it: each is recorded."""
        try:
            async with self._scheduler.turn_of(context.name):
                if (current := self._current(context)) is None:
                    self._progress.pop(context.name, None)
                    return
                context = current  # it may have been configured anew while something else had the turn
                await self._recover(context)
                self._of(context.name).problem = ""
                if self._may_go_on:
                    await self._go_on(context, await self._proxy.paused())
        except ChangeoverError as error:
            await self._failed(context, error)
        except Exception as error:
            log.exception("recovery failed unexpectedly", app=context.name)
            says = f"Unexpected {type(error).__name__}: {error}."
            await self._failed(context, ChangeoverError(says, "Report this defect in Changeover."))
        if self._may_go_on and self._of(context.name).finished:
            await self._go_on_after_failure(context)

    async def _recover(self, context: AppContext) -> None:
        """Raises EngineError, ProxyError, JournalError or StepFailed."""
        progress = self._of(context.name)
        progress.active = context.journal.slots(context.name).active
        if not progress.finished:
            self._scheduler.wait_for_recovery(context.name)
            await resume.finish_interrupted(context, self._events)
            progress.finished = True
            self._scheduler.lane_of(context.name).recovered.set()
        if not progress.brought_back:
            await rebuilt_image.ensure(context)  # a build has a limit of its own
            try:
                async with asyncio.timeout(BRING_BACK_WITHIN_S):
                    await resume.bring_back(context)
            except TimeoutError as error:
                says = f"{context.name} was not ready within {BRING_BACK_WITHIN_S:g} s."
                raise ChangeoverError(says, f"See its log: changeover logs {context.name}") from error
            progress.brought_back = True
            self._brought_back(context.name)

    async def _failed(self, context: AppContext, error: ChangeoverError) -> None:
        progress = self._of(context.name)
        log.error("recovery failed", app=context.name, cause=error.cause, remedy=error.remedy)
        told, progress.problem = progress.problem, str(error)
        if told != progress.problem:
            try:
                await self._events.publish(RecoveryFailed(error.cause, error.remedy), context.name)
            except JournalError as away:
                log.warning("event not recorded", app=context.name, cause=away.cause)

    async def _go_on(self, context: AppContext, paused: set[str]) -> None:
        progress = self._of(context.name)
        if progress.brought_back and not progress.resumed:
            if context.name in paused:
                await self._proxy.resume(context.name)
            progress.resumed = True
        await self._queue(context)

    async def _go_on_after_failure(self, context: AppContext) -> None:
        """An app that could not be brought back takes its queued work, which may repair it."""
        try:
            async with self._scheduler.turn_of(context.name):
                await self._queue(context)
        except JournalError as error:
            await self._failed(context, error)

    async def _queue(self, context: AppContext) -> None:
        """Whoever calls this has the turn: what is retired, once something new has begun, takes that away."""
        progress = self._of(context.name)
        if progress.finished and not progress.goes_on:
            await resume.go_on(context, self._scheduler)
            progress.goes_on = True

    def _seen(self, app: str) -> Progress:
        """For questions: that somebody asks about an app must not look as if its recovery had been begun."""
        return self._progress.get(app) or Progress()

    def _of(self, app: str) -> Progress:
        return self._progress.setdefault(app, Progress())

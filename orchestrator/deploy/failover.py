"""Failover: the standby answers when the engine says that the active container has ended, and only then.

The rules:
- A slow, busy or failing release keeps its traffic. Its container must have ended, and be still away or refuse
  connections because it has just been restarted, when the standby is awake.
- The standby is woken and must answer a probe before it gets requests. It must be able to run on the data as it is.
- The active container, which the engine restarts, gets the traffic back as soon as it is ready; after repeated crashes
  only when it has run for a while (domain/crashes.py). Then the standby is parked again.
- While work has paused the app's requests, or a person, nothing is done: containers are stopped on purpose then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog

from orchestrator.app_data import swap
from orchestrator.apps import pause, readiness
from orchestrator.apps.context import AppContext
from orchestrator.apps.crashes import Crashes
from orchestrator.clock import elapsed, now
from orchestrator.deploy.background_park import Parking
from orchestrator.deploy.failover_record import Record, count_the_rest, remember, why_ended
from orchestrator.deploy.park import is_parked
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.deploy.standby import standby_for_failover
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.events import EventKind, FailedOver, FailoverFailed, Occurrence, WentBack
from orchestrator.domain.failover import Action, Facts, decide
from orchestrator.engine.base import ContainerEvent, ContainerStatus
from orchestrator.errors import ChangeoverError, ProxyError
from orchestrator.events.stream import EventStream
from orchestrator.host.uninterrupted import to_its_end

log = structlog.get_logger()

AGAIN_S = 0.5
LATER_S = 5.0
LONGEST_AGAIN_S, SOON_S = 30.0, 0.2
TELL_PROXY_AFTER_S = 5.0
"""So long the proxy may be away, as while it is restarted or everything is stopped, until that is told, in seconds."""
CUT_AFTER_S = 2.0
"""By then, requests that waited for a connection to the active container have gone to the standby, in seconds."""
WAKE_WITHIN_S = 10.0
"""How long a woken standby may take to answer, in seconds."""
CHANGES_CONTAINERS = frozenset(
    {EventKind.LIVE, EventKind.ENDED, EventKind.FAILED, EventKind.CANCELLED, EventKind.RESTORED}
    | {EventKind.CONFIG_LOADED, EventKind.HEALTH}
)
"""The kinds of events after which an app is looked at. HEALTH covers engine events that were lost."""


@dataclass
class Look:
    """One app: when it is looked at next (None: at the next event), and how often in a row that failed."""

    due: float | None = 0.0
    under_way: bool = False
    failures: int = 0
    failing_since: float = 0.0
    told: str = ""


class Failover:
    """Looks at an app at each event of its containers, at most one look per app at a time. `keep` never returns.

    A look locks the app's `standby_turn`, and is done whole before a cancel takes effect at the next await. Implements
    Listener and Notifier. Used on the event loop only.
    """

    def __init__(
        self, apps: Callable[[], list[AppContext]], scheduler: Scheduler, events: EventStream, crashes: Crashes
    ) -> None:
        self._apps = apps
        self._scheduler = scheduler
        self._events = events
        self._crashes = crashes
        self._looks: dict[str, Look] = {}
        self._records: dict[str, Record] = {}
        self._parking = Parking(scheduler, self.due)
        self._wake = asyncio.Event()

    def record(self, app: str) -> Record:
        return self._records.setdefault(app, Record())

    def heard(self, event: ContainerEvent) -> None:
        if event.action in ("die", "start", "oom"):
            self.due(event.app)
        elif event.action == "unpause":
            # A rollback wakes the standby, and each of its milliseconds counts: what is to be parked can wait.
            self.due(event.app, in_s=SOON_S)

    def missed(self) -> None:
        for context in self._apps():
            context.not_paused.forget()  # the engine may have been the reason
            self.due(context.name)

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        if happened.kind is EventKind.LIVE:
            self.record(app).since = None  # a switch ends a failover
        if happened.kind in CHANGES_CONTAINERS:
            for name in [app] if app else [context.name for context in self._apps()]:
                self.due(name)

    def due(self, app: str, in_s: float = 0.0) -> None:
        """Look at this app in `in_s` seconds, or earlier if that was said before."""
        look, due = self._looks.setdefault(app, Look()), elapsed() + in_s
        look.due = due if look.due is None else min(look.due, due)
        self._wake.set()

    async def keep(self) -> None:
        """Look at each app when it is due, until cancelled. A slow one does not delay the others."""
        looks: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._wake.clear()
                contexts = {context.name: context for context in self._apps()}
                self._looks = {name: self._looks.get(name) or Look() for name in contexts}
                idle = {name: look for name, look in self._looks.items() if not look.under_way}
                for name, look in idle.items():
                    if look.due is not None and look.due <= elapsed():
                        look.due, look.under_way = None, True
                        task = asyncio.create_task(self._look(contexts[name], look))
                        looks.add(task)
                        task.add_done_callback(looks.discard)
                dues = [look.due for look in idle.values() if look.due is not None and not look.under_way]
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(0.0, min(dues) - elapsed()) if dues else None):
                        await self._wake.wait()
        finally:
            for task in looks:
                task.cancel()
            if looks:
                await asyncio.wait(looks)

    async def _look(self, context: AppContext, look: Look) -> None:
        try:
            again_s = await self._act(context)
            look.failures, look.told = 0, ""
        except ChangeoverError as error:
            again_s = min(AGAIN_S * 2**look.failures, LONGEST_AGAIN_S)
            look.failing_since = look.failing_since if look.failures else elapsed()
            is_short = isinstance(error, ProxyError) and elapsed() - look.failing_since < TELL_PROXY_AFTER_S
            look.failures = min(look.failures + 1, 10)
            log.warning("failover failed", app=context.name, cause=error.cause, again_in_s=again_s)
            if look.told != error.cause and not is_short:
                look.told = error.cause
                await self._publish(FailoverFailed(error.cause, error.remedy), context.name)
        except Exception:
            again_s = LONGEST_AGAIN_S
            log.exception("failover failed unexpectedly", app=context.name)
        finally:
            look.under_way = False
            self._wake.set()
        if again_s is not None:
            look.due = elapsed() + again_s if look.due is None else look.due

    async def _act(self, context: AppContext) -> float | None:
        """Look at an app and do what is to be done. Returns when to look again, in seconds; None: at an event."""
        if not self._scheduler.lane_of(context.name).recovered.is_set():
            return AGAIN_S
        if not pause.holds(context, self._scheduler.lane_of(context.name).running):
            await swap.settle(context)
        async with context.standby_turn:
            active = context.active
            if active is None or active.colour is None:
                return None
            route = context.proxy.route(context.name)
            if route.active is not active.colour:
                return AGAIN_S  # it is being switched
            if not route.failed_over:
                self.record(context.name).since = None  # a switch ends it, too
                await count_the_rest(context, self.record(context.name))
            elif self.record(context.name).since is None:
                await remember(context, self.record(context.name))
            standby = standby_for_failover(context)
            status, facts = await self._facts(context, active, standby)
            failed: ChangeoverError | None = None
            try:
                match decide(facts):
                    case Action.FAIL_OVER if standby:
                        await self._fail_over(context, active, standby)
                    case Action.GO_BACK:
                        return await self._go_back(context, active)
                    case Action.PARK:
                        self._parking.begin(context)
            except ChangeoverError as error:
                failed = error  # the standby cannot answer: then nothing but the active container can
            if not facts.active_runs:
                await self._start(context, active)
            if failed:
                raise failed
        if facts.failed_over and not facts.active_runs and elapsed() - self.record(context.name).began > CUT_AFTER_S:
            # What was in the hands of a container that is gone may wait for an answer that never comes.
            await context.proxy.cut_sessions(context.name, active.colour)
        if facts.failed_over:
            self.record(context.name).count(await context.proxy.answers_of_standby(context.name))
        if not facts.active_runs and status is not None and status.running:
            return SOON_S if facts.standby_fits else None  # it may listen soon; no event will say so
        if not facts.active_runs or facts.requests_wait:
            return LATER_S  # what is left undone now is done when a person has resumed the requests
        return min(max(SOON_S, facts.hold_left_s), LATER_S) if facts.failed_over else None

    async def _facts(
        self, context: AppContext, active: Deployment, standby: Deployment | None
    ) -> tuple[ContainerStatus | None, Facts]:
        """And the active container's status: None, too, where its standby is to answer before the engine does."""
        kept, failed_over = context.standby, context.proxy.route(context.name).failed_over
        kept_status = await context.engine.status(kept.container) if kept else None
        is_urgent = standby is not None and kept_status is not None and kept_status.running and not failed_over
        is_known = is_urgent and self._crashes.is_gone(active.container)
        status = None if is_known else await context.engine.status(active.container)
        if runs := status is not None and status.running:
            self._crashes.seen_running(active.container)
        return status, Facts(
            active_runs=runs and (failed_over or not await self._crashed_and_refuses(context, active)),
            failed_over=failed_over,
            requests_wait=await self._requests_wait(context),
            standby_fits=standby is not None
            and kept_status is not None
            and self._is_worth_it(active, status, kept_status),
            standby_runs=kept_status is not None and kept_status.running and not kept_status.paused,
            standby_parked=kept is None or is_parked(context, kept, kept_status),
            hold_left_s=self._crashes.hold_left_s(active.container),
        )

    async def _requests_wait(self, context: AppContext) -> bool:
        work = self._scheduler.lane_of(context.name).running
        return pause.holds(context, work) or context.name in await context.proxy.paused()

    async def _crashed_and_refuses(self, context: AppContext, active: Deployment) -> bool:
        """Whether it crashed, and does not listen since the engine restarted it. One without a crash is not asked."""
        return self._crashes.count(active.container) > 0 and await readiness.refuses(context, active)

    def _is_worth_it(self, active: Deployment, status: ContainerStatus | None, standby: ContainerStatus) -> bool:
        """Whether the standby answers sooner. One that must be started first does not, if the engine restarts the
        active container, unless that crashes again and again."""
        restarting = status is not None and status.restarting
        return standby.running or not restarting or self._crashes.is_loop(active.container)

    async def _fail_over(self, context: AppContext, active: Deployment, standby: Deployment) -> None:
        assert active.colour is not None
        began = elapsed()
        await context.engine.wake(standby.container, standby.address)
        await readiness.until_awake(context, standby, WAKE_WITHIN_S)
        if await self._is_back(context, active):
            self.due(context.name)  # the engine was faster; the standby is parked again
            return
        record, counted = self.record(context.name), await context.proxy.answers_of_standby(context.name)
        await context.proxy.fail_over(context.name, active.colour)
        if record.since is None:
            record.times, record.since, record.began = record.times + 1, now(), began
            took = round(elapsed() - began, 3)
            record.cause = await why_ended(context, active, self._crashes)
            record.at_first, record.counted, record.is_counted = record.requests, counted, False
            version = standby.release.version if standby.release else ""
            await to_its_end(self._publish(FailedOver(version, record.cause, took), context.name))

    async def _is_back(self, context: AppContext, active: Deployment) -> bool:
        if self._crashes.is_gone(active.container):
            return False
        status = await context.engine.status(active.container)
        return status is not None and status.running and not await readiness.refuses(context, active)

    async def _go_back(self, context: AppContext, active: Deployment) -> float | None:
        record = self.record(context.name)
        if not await readiness.answers_well(context, active):
            record.count(await context.proxy.answers_of_standby(context.name))
            return SOON_S
        await context.proxy.go_back(context.name)
        await to_its_end(self._tell_of_return(context, record))
        return 0.0

    async def _tell_of_return(self, context: AppContext, record: Record) -> None:
        seconds = round(elapsed() - record.began, 3)
        await count_the_rest(context, record)
        if record.since is not None:
            record.since = None
            await self._publish(WentBack(record.requests - record.at_first, seconds), context.name)

    async def _start(self, context: AppContext, active: Deployment) -> None:
        """Start an active container that the engine does not restart, as after `docker kill`.

        Looks again: a failover takes seconds, in which somebody may have begun to change the data.
        """
        if await self._requests_wait(context):
            return
        status = await context.engine.status(active.container)
        if status is not None and not status.restarting and not status.running:
            await context.engine.wake(active.container, active.address)

    async def _publish(self, happened: Occurrence, app: str) -> None:
        try:
            await self._events.publish(happened, app)
        except ChangeoverError as error:
            log.warning("event not recorded", app=app, cause=error.cause)

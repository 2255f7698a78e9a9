"""Outages: when the active release of an app does not serve as it should, and since when it does again.

A probe that fails is no outage, nor is what a deployment does to the app: it tells itself what becomes of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.apps.look import Health
from orchestrator.clock import elapsed, now
from orchestrator.domain.deployment import Deployment, State
from orchestrator.domain.events import Event, EventKind, FailedOver, HealthChanged, Occurrence, WentBack
from orchestrator.domain.outage_events import Outage, OutageOver
from orchestrator.errors import ChangeoverError
from orchestrator.events.stream import EventStream
from orchestrator.journal.store import Journal

log = structlog.get_logger()

AFTER_S = 60.0
"""So long an app is unwell before that is an outage, and well before it is over, in seconds."""
AGAIN_AFTER_S = 5.0
"""So soon the journal is tried again."""
UNWELL = frozenset({Health.UNHEALTHY, Health.UNREACHED, Health.CRASHING, Health.STANDBY, Health.STOPPED})
_SAYS = {
    Health.CRASHING: "its container has ended several times in the last minutes",
    Health.STANDBY: "its container has ended",
}
"""Why an app is unwell whose probe found nothing wrong."""


@dataclass
class _App:
    """What is known of one app: its health, and since when it is well or unwell.

    These moments are on the monotonic clock, in seconds: `since` is the last change between well, unwell and neither,
    or the last failover; `began` and `over` are those of the outage. `ended`: how its active container ended, if
    nothing is told of that yet. `is_told`: an outage is told, and not yet that it is over; None until the journal was
    asked.
    """

    health: Health = Health.NONE
    since: float = 0.0
    began: float | None = None
    over: float | None = None
    ended: FailedOver | None = None
    is_told: bool | None = None


class Outages:
    """Finds outages in the events of health and of failovers, and publishes them as events of their own.

    Implements Notifier. Used on the event loop alone; `keep_current` runs until it is cancelled. `why` is why an app is
    unwell, and `busy_with` the deployment, rollback or restore of it that is under way, if there is
    one.
    """

    def __init__(
        self,
        apps: Callable[[], list[AppContext]],
        journal: Journal,
        events: EventStream,
        why: Callable[[str], str],
        busy_with: Callable[[str], Deployment | None],
    ) -> None:
        self._apps, self._journal, self._events = apps, journal, events
        self._why, self._busy_with = why, busy_with
        self._known: dict[str, _App] = {}
        self._open: dict[str, datetime] | None = None
        """By app, when an outage began that is told, and not yet that it is over. None until the journal was asked,
        once for all apps."""
        self._news = asyncio.Event()

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Implements Notifier."""
        if not isinstance(happened, HealthChanged | FailedOver | WentBack):
            return
        known = self._known.setdefault(app, _App())
        if isinstance(happened, FailedOver):
            known.ended, known.began, known.since = happened, known.began or elapsed(), elapsed()
        elif isinstance(happened, WentBack):
            if known.health is Health.HEALTHY:  # it was, at every probe
                known.since = known.over = elapsed()
        else:
            health = Health(happened.health)
            if _is_well(health) is not _is_well(known.health):
                known.since = elapsed()
            if health in UNWELL:
                known.began = known.began or elapsed()
            elif not known.is_told and not known.ended:
                known.began = None
            known.over = elapsed() if health is Health.HEALTHY else None
            known.health = health
        self._news.set()

    async def keep_current(self) -> None:
        """Publish each outage when it is one, and its end."""
        while True:
            self._news.clear()
            next_look = await self._look()
            try:
                async with asyncio.timeout(next_look):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _look(self) -> float | None:
        """The seconds until the next look, if there is something to wait for. What is no app any more is forgotten.

        A defect at one app is raised when all are looked at: it keeps no outage of another from being told.
        """
        contexts = {context.name: context for context in self._apps()}
        self._known = {name: known for name, known in self._known.items() if name in contexts}
        waits: list[float | None] = []
        defect: Exception | None = None
        for name, known in list(self._known.items()):
            try:
                waits.append(await self._judge(contexts[name], known))
            except ChangeoverError as error:
                log.warning("outage not recorded", app=name, cause=error.cause)
                waits.append(AGAIN_AFTER_S)
            except Exception as error:  # noqa: BLE001 (raised below)
                defect = defect or error
        if defect:
            raise defect
        return min((one for one in waits if one is not None), default=None)

    async def _judge(self, context: AppContext, known: _App) -> float | None:
        """Publish what is to be told of one app. The seconds until it may be more. Raises JournalError, and
        UnknownDeployment where the journal does not have the active release."""
        if known.is_told is None:
            await self._recall(context.name, known)
        if known.is_told:
            known.ended = None
            return await self._end(context, known) if known.health is Health.HEALTHY else None
        return await self._begin(context, known) if known.ended or known.health in UNWELL else None

    async def _recall(self, app: str, known: _App) -> None:
        """What an earlier process has told."""
        if self._open is None:
            kinds = (EventKind.OUTAGE, EventKind.OUTAGE_OVER)
            newest = await self._journal.beside(self._journal.newest_of_each_app, kinds)
            self._open = {one.app: _began(one) for one in newest if one.kind == EventKind.OUTAGE}
        known.is_told = app in self._open
        if began := self._open.get(app):
            known.began = elapsed() - max(0.0, (now() - began).total_seconds())

    def _is_worked_on(self, app: str) -> bool:
        """One that is only queued does nothing to the app yet: it may wait for long."""
        busy = self._busy_with(app)
        return busy is not None and self._journal.deployment(busy.id).state is not State.QUEUED

    def _told(self) -> dict[str, datetime]:
        assert self._open is not None, "the journal was asked before anything is told"
        return self._open

    async def _begin(self, context: AppContext, known: _App) -> float | None:
        name, began = context.name, known.began or elapsed()
        if known.ended:
            found = Outage(_version(context), Health.STANDBY, known.ended.cause, known.ended.version)
        else:
            if self._is_worked_on(name):
                known.since = elapsed()
            if (left := _left(known)) > 0 and known.health is not Health.CRASHING:
                return left
            standby = context.standby if known.health is Health.STANDBY else None
            cause = self._why(name) or _SAYS.get(known.health, "")
            found = Outage(_version(context), known.health, cause, standby.version if standby else "")
        await self._events.publish(replace(found, seconds=round(elapsed() - began, 3)), name)
        # It may be well by now.
        self._told()[name] = now() - timedelta(seconds=elapsed() - began)
        known.is_told, known.ended, known.began = True, None, began
        return AFTER_S

    async def _end(self, context: AppContext, known: _App) -> float | None:
        if (left := _left(known)) > 0:
            return left
        seconds = known.over - known.began if known.over and known.began else 0.0
        await self._events.publish(OutageOver(_version(context), max(0.0, seconds)), context.name)
        self._told().pop(context.name, None)
        # It may be unwell again by now.
        known.is_told, known.began = False, elapsed() if known.ended or known.health in UNWELL else None
        return None


def _is_well(health: Health) -> bool | None:
    """None: it is neither well nor unwell, such as while its requests are paused."""
    return False if health in UNWELL else True if health is Health.HEALTHY else None


def _began(told: Event) -> datetime:
    """An event of an earlier version does not say how long the outage had lasted."""
    return told.at - timedelta(seconds=float(str(told.fields.get("seconds", 0.0))))


def _left(known: _App) -> float:
    return known.since + AFTER_S - elapsed()


def _version(context: AppContext) -> str:
    return context.active.version if context.active else ""

"""The health of each app's active release, kept current by Docker's events and by probes."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.apps.crashes import Crashes
from orchestrator.apps.look import Health, look, why_unreached
from orchestrator.clock import elapsed
from orchestrator.domain.events import EventKind, HealthChanged, Occurrence
from orchestrator.engine.base import ContainerEvent
from orchestrator.errors import ChangeoverError, JournalError
from orchestrator.events.stream import EventStream
from orchestrator.traffic.ticks import BAD, GOOD, UNKNOWN, ProbeTicks

log = structlog.get_logger()

PROBE_EVERY_S = 10.0
ROUND_S = 1.0
"""Probes are due at multiples of it, so that those of many apps come together and share one question about pauses."""
REACHED_EVERY_S = 30.0
"""So often, without news, the proxy is asked where the hosts of a healthy app lead."""
PROBE_UNWELL_EVERY_S = 2.0
"""The interval between probes of an app that is not healthy, in seconds."""
AFTER_WAKING_S = 0.2
AT_ONCE = 8
"""The number of apps that are probed at the same time."""
FRESH_WITHIN_S = 1.0
"""How long a reader waits for a probe that an event has made due, in seconds."""
ANSWERED = frozenset({Health.HEALTHY, Health.PAUSED, Health.CRASHING, Health.STANDBY})
"""A release of the app has answered the probe well."""
CHANGES_HEALTH = frozenset(
    {
        EventKind.LIVE,
        EventKind.ENDED,
        EventKind.FAILED,
        EventKind.CANCELLED,
        EventKind.RESTORED,
        EventKind.CONFIG_LOADED,
        EventKind.FAILED_OVER,
        EventKind.WENT_BACK,
    }
)


@dataclass
class _Entry:
    """The health of one app; `fresh` is not set while a probe is due because of an event, which is `news`.

    `told`: the health that was published last; `telling`: while one is. `reached`: when the proxy last said
    that the app's hosts lead to it; 0 if they do not. `answered`: the paths that its containers have answered well.
    """

    health: Health = Health.NONE
    told: Health = Health.NONE
    why: str = ""
    due: float = 0.0
    under_way: bool = False
    news: bool = False
    reached: float = 0.0
    fresh: asyncio.Event = field(default_factory=asyncio.Event)
    telling: asyncio.Lock = field(default_factory=asyncio.Lock)
    answered: dict[str, str] = field(default_factory=dict)


class HealthBoard:
    """Keeps the health of all apps. `keep_current` runs until it is cancelled.

    It must be used on the event loop only. If an app becomes due during its probe, another probe follows.
    """

    def __init__(
        self,
        apps: Callable[[], list[AppContext]],
        events: EventStream,
        crashes: Crashes,
        ticks: ProbeTicks | None = None,
    ) -> None:
        """`ticks` takes the result of each probe."""
        self._apps = apps
        self._ticks = ticks or ProbeTicks()
        self._crashes = crashes
        self._events = events
        self._entries: dict[str, _Entry] = {}
        self._wake = asyncio.Event()
        self.fresh_within_s = FRESH_WITHIN_S

    async def of(self, app: str) -> Health:
        """The app's health. Waits at most `fresh_within_s` for a probe that an event has made due."""
        entry = self._entries.setdefault(app, _Entry())
        if not entry.fresh.is_set():
            try:
                async with asyncio.timeout(self.fresh_within_s):
                    await entry.fresh.wait()
            except TimeoutError:
                log.debug("health not fresh", app=app)
        return entry.health

    def why(self, app: str) -> str:
        """Why the app is not reached, unhealthy or stopped, as found by the last probe; else empty."""
        entry = self._entries.get(app)
        return entry.why if entry else ""

    def due(self, app: str, in_s: float = 0.0) -> None:
        """Probe this app in `in_s` seconds, or earlier if that was said before."""
        entry = self._entries.setdefault(app, _Entry())
        entry.due = min(entry.due, elapsed() + in_s)
        entry.news = True
        entry.fresh.clear()
        self._wake.set()

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Implements Notifier: an event that may change an app's health makes its probe due."""
        if happened.kind in CHANGES_HEALTH:
            for name in [app] if app else [context.name for context in self._apps()]:
                self.due(name)

    async def keep_current(self) -> None:
        """Probe each app when it is due, until cancelled. A slow app does not delay the others."""
        slots = asyncio.Semaphore(AT_ONCE)
        probes: set[asyncio.Task[None]] = set()
        try:
            while True:
                self._wake.clear()
                contexts = {context.name: context for context in self._apps()}
                self._entries = {name: self._entries.get(name) or _Entry() for name in contexts}
                idle = {name: entry for name, entry in self._entries.items() if not entry.under_way}
                for name, entry in idle.items():
                    if entry.due <= elapsed():
                        entry.under_way = True
                        probe = asyncio.create_task(self._probe(contexts[name], entry, slots))
                        probes.add(probe)
                        probe.add_done_callback(probes.discard)
                next_due = min((one.due for one in idle.values() if not one.under_way), default=None)
                try:
                    async with asyncio.timeout(None if next_due is None else max(0.0, next_due - elapsed())):
                        await self._wake.wait()
                except TimeoutError:
                    continue
        finally:
            for probe in probes:
                probe.cancel()
            await asyncio.gather(*probes, return_exceptions=True)

    def heard(self, event: ContainerEvent) -> None:
        """Implements Listener."""
        # A rollback wakes the standby, and each of its milliseconds counts.
        self.due(event.app, in_s=AFTER_WAKING_S if event.action == "unpause" else 0.0)

    def missed(self) -> None:
        """Implements Listener."""
        for context in self._apps():
            self.due(context.name)

    async def _probe(self, context: AppContext, entry: _Entry, slots: asyncio.Semaphore) -> None:
        if entry.news:
            entry.reached = 0.0
        entry.due, entry.news = _round_after(PROBE_EVERY_S), False
        why, tick = "", UNKNOWN
        try:
            async with slots:
                health, why = await look(context, self._crashes, entry.answered)
                if health is Health.HEALTHY and (why := await self._why_unreached(context, entry)):
                    health = Health.UNREACHED
                tick = GOOD if health in ANSWERED else BAD
        except ChangeoverError as error:
            # The engine or the journal does not answer: the app counts as unhealthy until the next probe.
            log.warning("health cannot be determined", app=context.name, cause=error.cause)
            health, why = Health.UNHEALTHY, error.cause.rstrip(".")
        except Exception as error:
            log.exception("probe failed unexpectedly", app=context.name)
            health, why = Health.UNHEALTHY, f"unexpected {type(error).__name__}"
        finally:
            entry.under_way = False
            self._wake.set()
        if health not in (Health.HEALTHY, Health.NONE):
            entry.due, entry.reached = min(entry.due, _round_after(PROBE_UNWELL_EVERY_S)), 0.0
        entry.health, entry.why = health, why
        if health is not Health.NONE:
            self._ticks.add(context.name, tick)
        if not entry.news:
            entry.fresh.set()
        await self._tell(context.name, entry)

    async def _why_unreached(self, context: AppContext, entry: _Entry) -> str:
        if entry.reached and elapsed() - entry.reached < REACHED_EVERY_S:
            return ""
        why = await why_unreached(context)
        entry.reached = 0.0 if why else elapsed()
        return why

    async def _tell(self, app: str, entry: _Entry) -> None:
        """One at a time: that the journal takes nothing is known after seconds, in which probes have found more."""
        if entry.telling.locked():
            return
        async with entry.telling:
            try:
                while (health := entry.health) is not entry.told:
                    await self._events.publish(HealthChanged(health), app)
                    entry.told = health
            except JournalError as error:
                # `status` shows the new health all the same, and the next probe tells it again.
                log.warning("health change not recorded", app=app, health=health, cause=error.cause)


def _round_after(seconds: float) -> float:
    """The last round that is at most `seconds` from now."""
    return math.floor((elapsed() + seconds) / ROUND_S) * ROUND_S

"""How each app's active release is, known before anybody asks: kept current by Docker's events and our own probes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.apps.probe import PROBE_TIMEOUT_S
from orchestrator.clock import elapsed
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.events import EventKind, HealthChanged, Occurrence
from orchestrator.engine.base import Engine, Role
from orchestrator.errors import ChangeoverError, EngineError, JournalError, ProxyError
from orchestrator.events.stream import EventStream

log = structlog.get_logger()

PROBE_EVERY_S = 10.0
PROBE_UNWELL_EVERY_S = 2.0
"""How often an app is probed that is not healthy, in seconds."""
AT_ONCE = 8
"""So many apps are probed at the same time."""
FRESH_WITHIN_S = 1.0
"""How long a reader waits for the probe that an event has made due."""
ENGINE_PAUSES_S = (0.2, 1.0, 5.0)
CHANGES_HEALTH = frozenset(
    {
        EventKind.LIVE,
        EventKind.ENDED,
        EventKind.FAILED,
        EventKind.CANCELLED,
        EventKind.RESTORED,
        EventKind.CONFIG_LOADED,
    }
)


class Health(StrEnum):
    """Unhealthy is an active release whose readiness path does not answer well, also while the standby answers."""

    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    STOPPED = "stopped"
    NONE = "none"


@dataclass
class _Entry:
    """What is known of one app; `fresh` is unset while an event has made its probe due."""

    health: Health = Health.NONE
    due: float = 0.0
    under_way: bool = False
    fresh: asyncio.Event = field(default_factory=asyncio.Event)


class HealthBoard:
    """`keep_current` and `follow_engine` run as long as the orchestrator does; everything else answers at once.

    Used on the event loop alone. A probe that is under way when its app becomes due again is followed by another.
    """

    def __init__(self, engine: Engine, apps: Callable[[], list[AppContext]], events: EventStream) -> None:
        self._engine = engine
        self._apps = apps
        self._events = events
        self._entries: dict[str, _Entry] = {}
        self._wake = asyncio.Event()

    async def of(self, app: str) -> Health:
        """Waits at most FRESH_WITHIN_S for a probe that is due because something has just happened."""
        entry = self._entries.setdefault(app, _Entry())
        if not entry.fresh.is_set():
            try:
                async with asyncio.timeout(FRESH_WITHIN_S):
                    await entry.fresh.wait()
            except TimeoutError:
                log.debug("health not fresh", app=app)
        return entry.health

    def due(self, app: str) -> None:
        """Probe this app now."""
        entry = self._entries.setdefault(app, _Entry())
        entry.due = 0.0
        entry.fresh.clear()
        self._wake.set()

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Of the Notifier protocol: what may have changed an app's health makes its probe due."""
        if happened.kind in CHANGES_HEALTH:
            for name in [app] if app else [context.name for context in self._apps()]:
                self.due(name)

    async def keep_current(self) -> None:
        """Probe each app when it is due, for ever. An app that is slow to answer keeps no other one waiting."""
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

    async def follow_engine(self) -> None:
        """What happens to an app container makes its app due, for ever. An engine that is away is asked again."""
        failures = 0
        while True:
            try:
                async for event in self._engine.watch():
                    failures = 0
                    if event.role == Role.APP and event.app:
                        self.due(event.app)
            except EngineError as error:
                pause = ENGINE_PAUSES_S[min(failures, len(ENGINE_PAUSES_S) - 1)]
                failures += 1
                log.warning("engine events", cause=error.cause, again_in_s=pause)
                await asyncio.sleep(pause)
                # Nobody knows what happened meanwhile.
                for context in self._apps():
                    self.due(context.name)

    async def _probe(self, context: AppContext, entry: _Entry, slots: asyncio.Semaphore) -> None:
        entry.due = elapsed() + PROBE_EVERY_S
        try:
            async with slots:
                health = await ask(context)
        except ChangeoverError as error:
            # Neither engine nor journal can be asked: that says nothing good, and is tried again soon.
            log.warning("health cannot be told", app=context.name, cause=error.cause)
            health = Health.UNHEALTHY
        except Exception:
            log.exception("a probe ended by a defect", app=context.name)
            health = Health.UNHEALTHY
        finally:
            entry.under_way = False
            self._wake.set()
        if health not in (Health.HEALTHY, Health.NONE):
            entry.due = min(entry.due, elapsed() + PROBE_UNWELL_EVERY_S)
        changed, entry.health = health is not entry.health, health
        if entry.due > 0.0:
            entry.fresh.set()
        if changed:
            self._tell(context.name, health)

    def _tell(self, app: str, health: Health) -> None:
        try:
            self._events.publish(HealthChanged(health), app)
        except JournalError as error:
            # `status` shows it all the same, and the next change is told again.
            log.warning("health change not recorded", app=app, health=health, cause=error.cause)


async def ask(context: AppContext) -> Health:
    """Probe the active release through the proxy; the engine is asked only when that gets no good answer."""
    active = context.active
    if active is None or active.colour is None:
        return Health.NONE
    if await _answers_well(context, active):
        return Health.HEALTHY
    status = await context.engine.status(active.container)
    return Health.STOPPED if status is None or not status.running else Health.UNHEALTHY


async def _answers_well(context: AppContext, active: Deployment) -> bool:
    """The release itself does, not the standby in its place."""
    if active.colour is None:
        return False
    try:
        answer = await context.proxy.ask_colour(
            context.name, active.colour, context.config.health.path, PROBE_TIMEOUT_S
        )
    except ProxyError:
        return False
    return answer.is_success and not context.proxy.answered_for(answer)

"""A World in which everything goes on by itself: the engine tells and restarts, failover looks, a customer writes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from orchestrator.apps.engine_events import EngineEvents
from orchestrator.config.app_schema import App
from orchestrator.deploy import leftovers
from orchestrator.deploy.failover import Failover
from orchestrator.deploy.routes import routes_of
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.events import ConfigLoaded
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, ContainerEvent, ContainerSpec, Engine, Role
from orchestrator.errors import ChangeoverError, EngineError, JournalError, ProxyError
from orchestrator.journal.store import Journal
from orchestrator.proxy.base import Proxy
from orchestrator.recovery import resume
from orchestrator.supervision import Supervisor
from tests.support.fakes.absence import MayBeAway
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.memory_journal import MemoryJournal
from tests.support.fakes.power import Power
from tests.support.fakes.proxy import Answering, FakeProxy
from tests.support.fakes.world import APP, World

RESTARTS_AFTER_S = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""As Docker waits before it restarts a container that ended: doubled each time (dockerd, `restartmanager`)."""
CUSTOMER_EVERY_S = 0.37


class LivingEngine(MayBeAway, FakeEngine):
    """Reports what it does as Docker does, and restarts what has a restart policy. While it is away, containers run."""

    protocol = Engine
    not_asked = frozenset({"wait_until_up", "sidecars_at_work", "watch"})

    def __init__(self, power: Power | None = None) -> None:
        super().__init__(power)
        self.stopped_by_hand: set[str] = set()
        """Docker's `unless-stopped`: a restart of the host does not start them."""
        self._ended: dict[str, int] = {}

    async def wait_until_up(self, deadline_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while self.away:  # noqa: ASYNC110 (a fake has no event)
                    await asyncio.sleep(0.1)
        return self.away is None

    async def start(self, spec: ContainerSpec) -> str:
        started = await super().start(spec)
        self._emit("start", spec.name)
        return started

    async def stop(self, name: str, timeout_s: int) -> None:
        ran = name in self.running and self.running[name].running
        await super().stop(name, timeout_s)
        self.stopped_by_hand.add(name)
        if ran:
            self._emit("kill", name)
            self._emit("die", name)

    async def wake(self, name: str, address: str = "") -> None:
        one = self.running.get(name)
        did = "" if one is None or (one.running and not one.paused) else "unpause" if one.paused else "start"
        await super().wake(name, address)
        self.stopped_by_hand.discard(name)
        if did:
            self._emit(did, name)

    async def unpause(self, identifier: str) -> None:
        await super().unpause(identifier)
        self._emit("unpause", identifier)

    async def remove(self, name: str, stop_timeout_s: int = 0) -> bool:
        one = self.running.get(name)
        removed = await super().remove(name, stop_timeout_s)
        if removed and one:
            self._emit_of(one.spec, "die" if one.running else "", name)
            self._emit_of(one.spec, "destroy", name)
        return removed

    # What happens to it, although nobody of ours asks for it

    def crash(self, name: str) -> None:
        one = self.running[name]
        one.running, one.paused, one.exit_code, one.restarting = False, False, 137, one.restarts_by_itself
        self._emit("die", name)
        if one.restarting:
            self._ended[name] = times = self._ended.get(name, -1) + 1
            pause_s = RESTARTS_AFTER_S[min(times, len(RESTARTS_AFTER_S) - 1)]
            asyncio.get_running_loop().call_later(pause_s, self._restart, name)

    def stopped_by_a_person(self, name: str) -> None:
        one = self.running[name]
        one.running = one.paused = one.restarting = False
        self.stopped_by_hand.add(name)
        self._emit("kill", name)
        self._emit("die", name)

    def started_by_a_person(self, name: str) -> None:
        one = self.running[name]
        self._emit("unpause" if one.paused else "start", name)
        one.running, one.paused, one.restarting = True, False, False
        self.stopped_by_hand.discard(name)

    def removed_by_a_person(self, name: str) -> None:
        one = self.running.pop(name)
        self._emit_of(one.spec, "die", name)
        self._emit_of(one.spec, "destroy", name)

    def host_restarts(self) -> None:
        """Everything ends; what has a restart policy, and nobody has stopped, runs again."""
        for name, one in list(self.running.items()):
            if one.spec.labels.get(LABEL_ROLE) != Role.APP:
                one.running = one.paused = False
                continue
            one.running = one.restarts_by_itself and name not in self.stopped_by_hand
            one.paused = one.restarting = False

    def _restart(self, name: str) -> None:
        one = self.running.get(name)
        if one and one.restarting and one.restarts_by_itself:
            one.running, one.restarting = True, False
            self._emit("start", name)
        elif one:
            one.restarting = False

    def _emit(self, action: str, name: str) -> None:
        if one := self.running.get(name):
            self._emit_of(one.spec, action, name)

    def _emit_of(self, spec: ContainerSpec, action: str, name: str) -> None:
        if action and not self.away:
            role = spec.labels.get(LABEL_ROLE, "")
            for watcher in self._watchers:
                watcher.put_nowait(ContainerEvent(action, spec.labels.get(LABEL_APP, ""), role, name))


class LivingProxy(MayBeAway, FakeProxy):
    """Knows the requests in hand: each belongs to the container that it was sent to."""

    protocol = Proxy
    not_asked = frozenset({"wait_until_up"})

    def __init__(self, engine: FakeEngine, power: Power | None = None) -> None:
        super().__init__(engine, power)
        self.at_work: dict[str, Answering] = {}
        """What has no answer yet, and which server it was sent to."""

    def restarted(self) -> LivingProxy:
        again = super().restarted()
        assert isinstance(again, LivingProxy)
        again.at_work = self.at_work
        return again

    async def sessions(self, app: str, colour: Colour, *, instead: bool = False) -> int:
        return len(self._sent_to(colour, instead))

    async def cut_sessions(self, app: str, colour: Colour, *, instead: bool = False) -> None:
        for row in self._sent_to(colour, instead):
            del self.at_work[row]

    def _sent_to(self, colour: Colour, instead: bool) -> list[str]:
        mine = {Answering(colour, instead=False), Answering(colour.other, instead=True)}
        mine |= {Answering(colour, instead=True)} if instead else set()
        return [row for row, answering in self.at_work.items() if answering in mine]

    async def wait_until_up(self, deadline_s: float = 0) -> str:
        with suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while self.away:  # noqa: ASYNC110 (a fake has no event)
                    await asyncio.sleep(0.1)
        return await self.version()


class LivingJournal(MayBeAway, MemoryJournal):
    protocol = Journal
    not_asked = frozenset({"beside", "close"})
    reads = frozenset(
        {"deployment", "recorded", "maker_of", "deployments", "unfinished", "attempts", "with_key", "slots"}
        | {"migrations", "unsettled", "events", "with_event", "last_event_id"}
    )


class LivingWorld(World):
    """Has the parts of the server that work by themselves, in one process after the other; and a customer, who writes.

    `acknowledged` are the rows of which the customer was told that they are kept. `wrong` is what was seen that must
    not be, at any moment.
    """

    engine_kind, proxy_kind, journal_kind = LivingEngine, LivingProxy, LivingJournal
    engine: LivingEngine
    proxy: LivingProxy
    journal: LivingJournal

    def __init__(self, folder: Path, config: App) -> None:
        self.acknowledged: set[str] = set()
        self.wrong: list[str] = []
        self._sent = 0
        self._is_wanted = True
        self.is_half_removed = False
        """A removal of what the app had left did not come to its end: a person has to ask for it again."""
        self.gone = set[str]()
        """The deployments whose app was taken out of the configuration, and what it had left removed."""
        self.request_s: Callable[[], float] = lambda: 0.0
        """How long the app takes for a request, in seconds."""
        self.is_up = self._customer_writes = False
        self._supervisor, self._asked = Supervisor(), set[asyncio.Task[None]]()
        super().__init__(folder, config)

    def _open(self) -> None:
        super()._open()
        self.failover = Failover(self.apps, self.scheduler, self.events, self.crashes)
        self.events.add(self.failover)

    async def begin(self) -> None:
        """The first process."""
        asyncio.get_running_loop().set_exception_handler(self._saw)
        await self._start()

    async def restart(self) -> None:
        """The process before is gone, wherever it was. A new one is started; it is up as soon as it has recovered."""
        self.is_up = False
        parts = (self.engine, self.proxy, self.journal)
        away = [part.away for part in parts]
        for part in parts:
            part.away = None  # what is gone asks nobody any more
        await self._end_the_process()
        self.engine.away, self.proxy.away = away[0], away[1]
        asyncio.get_running_loop().set_exception_handler(self._saw)
        self.power.restore()
        self.data_turn, self.standby_turn = asyncio.Lock(), asyncio.Lock()
        self.proxy = self.proxy.restarted()
        self.is_configured = self._is_wanted  # it reads the configuration file
        self._open()
        self.journal.away = away[2]
        await self._start()

    async def stop(self) -> None:
        """As the server does on SIGTERM."""
        self.is_up = False
        for task in self._asked:
            task.cancel()
        await self._supervisor.stop()
        await self.recovery.stop()
        await self.scheduler.stop()

    def mend(self) -> None:
        """Everything is there again, and every command succeeds."""
        self.engine.mend()
        self.engine.held = []
        for part in (self.engine, self.proxy, self.journal):
            self.comes_back(type(part))
        self.journal.refuses = None
        self._is_wanted = True
        self.ask(self.follow_configuration())

    async def take_out(self) -> None:
        """The app is taken out of the configuration file, as soon as nothing of it is under way."""
        self._is_wanted = False
        await self.follow_configuration()

    async def put_in(self) -> None:
        self._is_wanted = True
        await self.follow_configuration()

    async def follow_configuration(self) -> None:
        """As `Orchestrator.reload_config`, which tries again what could not be used."""
        while not self.power.dead and (not self.is_up or self.is_configured is not self._is_wanted):
            if self.is_up and (self._is_wanted or not self.scheduler.doing(APP)):
                with suppress(ChangeoverError):
                    await self._take(self._is_wanted)
                    return
            await asyncio.sleep(1)

    async def _take(self, wanted: bool) -> None:
        before, self.is_configured = self.is_configured, wanted
        self.recovery.expect()
        try:
            await self.proxy.configure(routes_of(self.apps()))
        except BaseException:
            self.is_configured = before
            self.recovery.expect()
            raise
        self.recovery.configured()
        with suppress(JournalError):
            await self.events.publish(ConfigLoaded([context.name for context in self.apps()]))

    async def remove_what_it_left(self) -> None:
        """As `DELETE /v1/leftovers/{app}`. Its data is gone, and nobody misses a row of it."""
        async with self.scheduler.turn_of(APP):
            if self.is_configured:
                return
            left = await leftovers.of_app(self.context, self.apps())
            for container in self.engine.running.values():
                container.restarting = False
            self.gone, self.is_half_removed = {one.id for one in self.records.deployments.values()}, True
            await leftovers.remove(self.context, left, self.folder / "mirror", keep_backups=True)
            self.acknowledged.clear()
            self.engine.data.pop(APP, None)
            self.is_half_removed = False

    def proxy_starts_again(self) -> None:
        """It does what its files say."""
        self.comes_back(type(self.proxy))
        for name, colour in self.proxy.files.items():
            route = self.proxy.route(name)
            if server := route.server_of(colour) or route.fallback_of(colour):
                self.proxy.running[name] = server
                self.proxy.answering[name] = Answering(colour, instead=not route.server_of(colour))
        self.proxy.at_work.clear()

    def comes_back(self, kind: type[MayBeAway]) -> None:
        """The engine, the proxy or the journal. Whoever watches the engine's events has heard nothing meanwhile."""
        next(part for part in (self.engine, self.proxy, self.journal) if type(part) is kind).away = None
        if kind is LivingEngine:
            self.engine.ends_its_watches()

    async def until_idle(self) -> None:
        """Until the process is up, and nothing is unfinished or under way. A person does what only a person can do."""
        while not self._is_idle():
            until = asyncio.get_running_loop().time() + 3600
            while not self._is_idle() and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110 (no event)
                await asyncio.sleep(1)
            if self.is_up and self.recovery.problem(APP) and (left := self.journal.unsettled(APP)):
                with suppress(ChangeoverError):
                    await self.scheduler.restore(APP, left.backup, by="a person", kind=Kind.RESTORE)

    def _is_idle(self) -> bool:
        left = self.recovery.problem(APP) or self.journal.unfinished() or self.scheduler.doing(APP)
        return self.is_up and self.is_configured and not left

    def recorded(self, deployment: str) -> Deployment | None:
        """From what is on the disk, also while the journal is away."""
        return self.records.deployments.get(deployment)

    @property
    def newest_version(self) -> str:
        return self.source.newest_version

    def configure(self, **sections: object) -> None:
        super().configure(**sections)
        self.ask(self.events.publish(ConfigLoaded([APP])))

    def ask(self, work: Coroutine[Any, Any, object]) -> None:
        """A person asks for it, and does not wait for the answer."""
        task = asyncio.create_task(_answered(work))
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    async def _start(self) -> None:
        self._supervisor, self._asked = Supervisor(), set()
        listeners = (self.crashes, self.failover, self.recovery)
        self._supervisor.keep("recovery", self._come_up)
        self._supervisor.keep("engine events", EngineEvents(self.engine, listeners).follow)

    async def _come_up(self) -> None:
        """As `Orchestrator._come_up`."""
        routes = routes_of(self.apps())
        self.proxy.know(routes)
        interrupted = any(one.state is State.RUNNING for one in self.journal.unfinished())
        if not interrupted:
            await self.proxy.configure(routes)
        await resume.remove_leftovers(self.engine, self.folder / "work")
        await self.recovery.recover_all()
        if interrupted:
            await self.proxy.configure(routes_of(self.apps()))
        await self.recovery.go_on()
        self.is_up = True
        self._supervisor.keep("failover", self.failover.keep)
        self._supervisor.keep("recovery of apps", self.recovery.keep_recovering)
        self._supervisor.keep("look for removed containers", self.recovery.keep_looking)

    @contextmanager
    def orders(self) -> Iterator[None]:
        """Meanwhile the customer writes, whoever else does what."""
        self._customer_writes = True
        self._order_and_go_on()
        try:
            yield
        finally:
            self._customer_writes = False

    def _order_and_go_on(self) -> None:
        if self._customer_writes:
            self._order()
            asyncio.get_running_loop().call_later(CUSTOMER_EVERY_S, self._order_and_go_on)

    def _order(self) -> None:
        """It is sent to the release that answers."""
        server = self.proxy.running.get(APP)
        name = self.engine.at(server.address) if server else ""
        if server is None or APP in self.proxy.waiting or not name or not self.engine.can_run(name):
            return
        self._sent += 1
        row = f"order {self._sent}"
        self.proxy.at_work[row] = self.proxy.answering[APP]
        asyncio.get_running_loop().call_later(self.request_s(), self._answer, row, name)

    def _answer(self, row: str, name: str) -> None:
        """It is kept if the release has written it; the customer is told so, unless the request was cut."""
        if self.engine.can_run(name):
            self.engine.data_of(APP).rows.add(row)
            if row in self.proxy.at_work:
                self.acknowledged.add(row)
        self.proxy.at_work.pop(row, None)

    def _saw(self, loop: asyncio.AbstractEventLoop, said: dict[str, object]) -> None:
        """A task that died unseen, unless the power was cut under it."""
        error = said.get("exception")
        if not self.power.dead and isinstance(error, Exception):
            self.wrong.append(f"{said.get('message')}: {error!r}")


async def _answered(work: Coroutine[Any, Any, object]) -> None:
    with suppress(ChangeoverError):
        await work


def away(part: MayBeAway) -> ChangeoverError:
    """What each part says when it is away."""
    if isinstance(part, LivingEngine):
        return EngineError("Docker does not answer.", "Start it.")
    if isinstance(part, LivingProxy):
        return ProxyError("The proxy does not answer.", "Start it.")
    return JournalError("The journal does not answer.", "Start its database.")

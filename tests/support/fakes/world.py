"""An orchestrator on fakes: real plans, scheduler and recovery; journal, engine, proxy and source in memory."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from orchestrator.apps.commands_under_way import CommandsUnderWay
from orchestrator.apps.context import AppContext, Limits
from orchestrator.apps.crashes import Crashes
from orchestrator.apps.probe import PROBE_TIMEOUT_S
from orchestrator.clock import now
from orchestrator.config.app_schema import App
from orchestrator.deploy.routes import routes_of
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.deployment import Deployment, Kind, State, StepName
from orchestrator.errors import UnknownApp
from orchestrator.events.stream import EventStream
from orchestrator.logs.kept import KeptLogs
from orchestrator.recovery import resume
from orchestrator.recovery.all_apps import Recovery
from orchestrator.sources.uploads import Uploads
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.memory_journal import MemoryJournal, Records
from tests.support.fakes.power import Killed, Power
from tests.support.fakes.proxy import FakeProxy
from tests.support.fakes.source import FakeSource

APP = "shop"
POLL_S = 0.1
MOST_POLLS = 100_000
RECOVERED_WITHIN_S = 24 * 3600.0


class FakeProber:
    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine

    async def ask(self, address: str, port: int, path: str, *, host: str) -> httpx.Response:
        name = self._engine.at(address)
        if not name or self._engine.network_tables or name in self._engine.booting:
            raise httpx.ConnectError("connection refused")
        await self._until_unpaused(name)
        if path in self._engine.not_found:
            return httpx.Response(404)
        return httpx.Response(200 if self._engine.can_run(name) else 503, text=name)

    async def waits_for_idle_connections(self, address: str, port: int, path: str, *, host: str) -> bool:
        return self._engine.serves_one_connection

    async def _until_unpaused(self, name: str) -> None:
        """The kernel accepts a connection to a process that is frozen, which reads the request when it runs again."""
        try:
            async with asyncio.timeout(PROBE_TIMEOUT_S):
                while (one := self._engine.running.get(name)) and one.paused:  # noqa: ASYNC110 (a fake has no event)
                    await asyncio.sleep(POLL_S / 10)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the container does not answer") from error


class World:
    """`restart` is what a new orchestrator process does with what the one before left."""

    engine_kind: type[FakeEngine] = FakeEngine
    proxy_kind: type[FakeProxy] = FakeProxy
    journal_kind: type[MemoryJournal] = MemoryJournal

    def __init__(self, folder: Path, config: App) -> None:
        self.folder = folder
        self.config = config
        self.power = Power()
        self.engine = self.engine_kind(self.power)
        self.proxy = self.proxy_kind(self.engine, self.power)
        self.source = FakeSource()
        self.schema: list[str] = []
        self.data_turn, self.standby_turn = asyncio.Lock(), asyncio.Lock()
        self.records = Records()
        self.is_configured = True
        self._open()

    def _open(self) -> None:
        """The parts of a new process."""
        self.journal = self.journal_kind(self.records, self.power)
        self.events = EventStream(self.journal)
        self.commands = CommandsUnderWay(APP)
        self.crashes = Crashes()
        self.context = self._context()
        self.scheduler = Scheduler(self.journal, self.events, self._configured)
        self.recovery = Recovery(self.apps, self.proxy, self.events, self.scheduler, lambda _app: None)
        self.proxy.know(routes_of(self.apps()))

    def apps(self) -> list[AppContext]:
        """Those that are configured."""
        return [self.context] if self.is_configured else []

    def _configured(self, app: str) -> AppContext:
        if not self.is_configured:
            raise UnknownApp(f"No app '{app}' is configured.", "Configure it.")
        return self.context

    def _context(self) -> AppContext:
        return AppContext(
            name=APP,
            config=self.config,
            engine=self.engine,
            proxy=self.proxy,
            source=self.source,
            journal=self.journal,
            work=self.folder / "work",
            uploads=Uploads(self.folder / "uploads"),
            config_file=self.folder / "control-panel-config.yaml",
            environment={},
            limits=Limits(min_free_bytes=0, keep_images=5, keep_output=5, build_cache_bytes=0),
            backups="backups",
            tools_image="tools",
            data_turn=self.data_turn,
            standby_turn=self.standby_turn,
            commands=self.commands,
            crashes=self.crashes,
            prober=FakeProber(self.engine),
            kept_logs=KeptLogs(self.folder / "logs"),
            say=self.events.say,
            publish=self.events.publish,
        )

    async def _end_the_process(self) -> None:
        """Without power nothing that its tasks do has an effect any more."""
        self.power.dead = True
        asyncio.get_running_loop().set_exception_handler(_but_kills)
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def publish(self, *revisions: str) -> None:
        """A newer release, which brings these schema revisions beyond those before."""
        self.schema += revisions
        self.source.publish(schema="\n".join(self.schema))

    def configure(self, **sections: object) -> None:
        """The configuration of the app is changed and loaded."""
        self.config = App.model_validate(self.config.model_dump(exclude_defaults=True) | sections)
        self.context = self._context()

    async def deploy(self, ref: str = "", *, force: bool = False) -> Deployment:
        """Ask for a release, the newest by default, and wait for the end, retiring included."""
        asked = await self.scheduler.request(APP, ref=ref, by="test", force=force)
        return await self.until_ended(asked.id)

    def queue_without_running(self) -> Deployment:
        """A deployment that a process before has recorded and not begun."""
        queued = Deployment("queued", APP, Kind.DEPLOY, State.QUEUED, "test", now())
        self.journal.add(queued)
        return queued

    async def roll_back(self) -> Deployment:
        return await self.until_ended((await self.scheduler.roll_back(APP, by="test")).id)

    async def until_ended(self, deployment: str) -> Deployment:
        """Or until the power is cut."""
        for _ in range(MOST_POLLS):
            found = self.journal.deployment(deployment)
            if found.ended_at or self.power.dead:
                return found
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"deployment {deployment} does not end")

    async def until_step(self, deployment: Deployment, step: StepName) -> None:
        """Until the deployment has begun this step."""
        for _ in range(MOST_POLLS):
            if self.journal.deployment(deployment.id).has_begun(step):
                return
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"deployment {deployment.id} does not come to {step}")

    async def at_rest(self) -> None:
        """Until nothing that was asked for is unfinished."""
        for _ in range(MOST_POLLS):
            if not self.journal.unfinished():
                return
            await asyncio.sleep(POLL_S)
        raise AssertionError(f"unfinished: {self.journal.unfinished()}")

    async def restart(self) -> None:
        """The process before is gone with its locks and tasks; a new one recovers, as the server does at its start."""
        await self.new_process()
        await self.recovery.recover_all()
        await self.recovery.go_on()
        await self.recover_the_rest()
        await self.at_rest()

    async def recover_the_rest(self) -> None:
        """As the server does. An app that is never recovered is an error: it is tried again for ever."""
        try:
            async with asyncio.timeout(RECOVERED_WITHIN_S):
                await self.recovery.recover_the_rest()
        except TimeoutError as error:
            raise AssertionError(f"not recovered: {self.recovery.problem(APP)}") from error

    async def new_process(self) -> None:
        """The process before is gone; a new one has all its parts, and has not recovered anything yet."""
        await self._end_the_process()
        self.power.restore()
        self.data_turn, self.standby_turn = asyncio.Lock(), asyncio.Lock()
        self.proxy = self.proxy.restarted()
        self._open()
        await resume.remove_leftovers(self.engine, self.folder / "work")


def _but_kills(loop: asyncio.AbstractEventLoop, said: dict[str, object]) -> None:
    """A task that ended with its process is not a task that died unseen."""
    if not isinstance(said.get("exception"), Killed):
        loop.default_exception_handler(said)

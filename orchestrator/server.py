"""The server: creates the parts, connects them, starts and stops them."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.apps.health import HealthBoard
from orchestrator.apps.probe import HttpProber
from orchestrator.apps.registry import AppRegistry
from orchestrator.clock import now
from orchestrator.config.schema import PANEL
from orchestrator.config.watcher import ConfigFile
from orchestrator.deploy.routes import routes_of
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.deployment import State
from orchestrator.domain.events import ConfigLoaded, ConfigRefused, RecoveryFailed, StartFailed
from orchestrator.engine.base import Engine
from orchestrator.engine.docker.engine import DockerEngine
from orchestrator.errors import ChangeoverError, ConfigError
from orchestrator.events.notifier import LogNotifier
from orchestrator.events.stream import EventStream
from orchestrator.journal.store import Journal
from orchestrator.proxy.base import Proxy
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.recovery import rebuild_journal, resume
from orchestrator.settings import Settings
from orchestrator.updates.checker import UpdateChecker

log = structlog.get_logger()

PROXY_UP_WITHIN_S = 120


class Orchestrator:
    """The server without its API. `start` begins recovery and background tasks; `stop` cancels what is running.

    `engine` and `proxy` are Docker and HAProxy by default.
    """

    def __init__(self, settings: Settings, engine: Engine | None = None, proxy: Proxy | None = None) -> None:
        self.settings = settings
        self.config_file = ConfigFile(settings.config)
        self.journal = Journal(settings.journal_url, settings.config)
        self.events = EventStream(self.journal)
        self.engine: Engine = engine or DockerEngine(settings.stack, settings.network)
        self.proxy: Proxy = proxy or HAProxy(settings.proxy)
        self.apps = AppRegistry(settings, self.engine, self.proxy, self.journal, HttpProber(), self.events.say)
        self.scheduler = Scheduler(self.journal, self.events, self.apps.get)
        self.checker = UpdateChecker(self.journal, self.events, self.scheduler)
        self.health = HealthBoard(self.engine, self.apps.all, self.events)
        self.events.add(LogNotifier())
        self.events.add(self.health)
        self.ready = False
        self.started_at = now()
        # By app: why its recovery failed at the last start.
        self.recovery_problems: dict[str, str] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def load(self) -> None:
        """Read the configuration, and write the proxy's files that do not exist yet. Raises ConfigError."""
        self.config_file.read()
        self._use_config()
        self.proxy.prepare_files(routes_of(self.apps.all()))

    async def start(self) -> None:
        """Start the background tasks. `ready` becomes true when recovery has ended."""
        work = (self._come_up(), self.health.keep_current(), self.health.follow_engine())
        self._tasks = [asyncio.create_task(one) for one in work]

    async def stop(self) -> None:
        """Cancel the background tasks and the running deployments, and close the journal."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self.checker.stop()
        await self.scheduler.stop()
        self.journal.close()

    async def reload_config(self) -> None:
        """Read the configuration file and use it. If it is not valid, the configuration in use stays in use.

        Raises ProxyError when the proxy cannot take the new routes.
        """
        try:
            changed = self.config_file.read()
        except ConfigError as error:
            self.events.publish(ConfigRefused(error.cause.splitlines()))
            log.error("configuration refused", problems=error.cause)
            return
        if not changed:
            return
        self._use_config()
        await self.proxy.configure(routes_of(self.apps.all()))
        self.checker.follow(self.apps.all())
        self.events.publish(ConfigLoaded(sorted(context.name for context in self.apps.all())))

    def _use_config(self) -> None:
        self.proxy.spare_backends = self.config_file.config.proxy.spare_backends
        self.apps.take(self.config_file.config)

    async def _come_up(self) -> None:
        """Recover all apps, deploy the panel at the first start, then follow changes of the configuration file."""
        try:
            await self._recover_all()
        except ChangeoverError as error:
            log.error("start failed", cause=error.cause, remedy=error.remedy)
            self.events.publish(StartFailed(error.cause, error.remedy))
            raise
        self.ready = True
        first_start = not self.journal.slots(PANEL).active and self.scheduler.busy_with(PANEL) is None
        if first_start and self.settings.deploy_panel:
            self.scheduler.request(PANEL, ref="", by="first start")
        self.checker.follow(self.apps.all())
        async for _ in self.config_file.changes():
            await self.reload_config()

    async def _recover_all(self) -> None:
        for context in self.apps.all():
            if await rebuild_journal.slots_from_what_runs(context):
                log.warning("journal rebuilt from the running containers", app=context.name)
        routes = routes_of(self.apps.all())
        self.proxy.know(routes)
        log.info("proxy answers", version=await self.proxy.wait_until_up(deadline_s=PROXY_UP_WITHIN_S))
        # After a reload, the old HAProxy worker takes no more changes, but still has the paused requests. So there is
        # no reload while a deployment is interrupted, unless the worker lacks the backends to route to.
        interrupted = any(one.state is State.RUNNING for one in self.journal.unfinished())
        if not interrupted or await self.proxy.lacks_backends():
            await self.proxy.configure(routes, deadline_s=PROXY_UP_WITHIN_S)
        await resume.remove_leftovers(self.engine, self.settings.state / "work")
        for context in self.apps.all():
            await self._recover(context)
        if interrupted:
            await self.proxy.configure(routes_of(self.apps.all()))
        # Last: requests that are paused for a schema change must wait until it is finished or undone.
        for paused in await self.proxy.paused():
            await self.proxy.resume(paused)

    async def _recover(self, context: AppContext) -> None:
        """Recover one app. A failure is recorded, logged and published; the recovery of the other apps continues."""
        try:
            await resume.recover(context, self.events, self.scheduler)
        except ChangeoverError as error:
            self.recovery_problems[context.name] = str(error)
            log.error("recovery failed", app=context.name, cause=error.cause, remedy=error.remedy)
            self.events.publish(RecoveryFailed(error.cause, error.remedy), context.name)

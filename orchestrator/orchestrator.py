"""Where the parts are put together: one site an app, from the configuration and what the journal knows."""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path

import structlog
from watchfiles import awatch

from orchestrator import config_file, rebuild, recovery
from orchestrator.config import PANEL, App, Config
from orchestrator.engine.docker import DockerEngine
from orchestrator.errors import ChangeoverError, ConfigError, UnknownApp
from orchestrator.events import EventStream
from orchestrator.journal import Journal, now
from orchestrator.model import Colour, State
from orchestrator.proxy.base import Proxy
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute, Server
from orchestrator.queue import Queue
from orchestrator.settings import Settings
from orchestrator.site import Keep, Site
from orchestrator.sources.git import GitRepository
from orchestrator.steps.prepare import MIB
from orchestrator.update_checker import UpdateChecker

log = structlog.get_logger()


class Orchestrator:
    """The whole server but its API. `start` brings it up, `stop` ends it and undoes what is under way."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.journal = Journal(settings.journal_url, settings.config)
        self.events = EventStream(self.journal)
        self.engine = DockerEngine(settings.stack, settings.network)
        self.proxy: Proxy = HAProxy(settings.proxy)
        self.queue = Queue(self.journal, self.events, self.site)
        self.checker = UpdateChecker(self.journal, self.events, self.queue)
        self.config = Config()
        self.config_problem = ""
        self.config_digest = ""
        self.ready = False
        self.started_at = now()
        # By app: why it could not be brought back at the last start.
        self.recovery_problems: dict[str, str] = {}
        self._sites: dict[str, Site] = {}
        # A site is made anew when its configuration changes; who has its data in hand then still has it.
        self._data_turns: dict[str, asyncio.Lock] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def site(self, app: str) -> Site:
        """Raises UnknownApp."""
        if app not in self._sites:
            raise UnknownApp(f"No app '{app}' is configured.", f"There are: {', '.join(self._sites)}.")
        return self._sites[app]

    def sites(self) -> list[Site]:
        return list(self._sites.values())

    def load(self) -> None:
        """Read the configuration; write the proxy's files where it has none yet. Raises ConfigError."""
        self._take(self._read_config())
        self.proxy.prepare_files(self._routes())

    async def start(self) -> None:
        """Wait for the proxy, recover, deploy the panel if it never was, and keep looking for updates."""
        self._tasks.append(asyncio.create_task(self._come_up()))

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.checker.stop()
        await self.queue.stop()

    async def reload_config(self) -> None:
        """Take the file as it is now. One that is wrong is refused, and everything stays as it was."""
        try:
            config = self._read_config()
        except ConfigError as error:
            self.config_problem = error.cause
            self.events.publish("config_refused", problems=error.cause.splitlines())
            log.error("configuration refused", problems=error.cause)
            return
        self.config_problem = ""
        if config == self.config:
            return
        self._take(config)
        await self.proxy.configure(self._routes())
        self.checker.follow(self.sites())
        self.events.publish("config_loaded", apps=sorted(self._sites))

    def _read_config(self) -> Config:
        path = self.settings.config
        self.config_digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
        return config_file.load(path)

    def _take(self, config: Config) -> None:
        self.config = config
        self._sites = {name: self._make_site(name, app) for name, app in config.all_apps().items()}

    def _make_site(self, name: str, app: App) -> Site:
        settings = self.settings
        mirror = settings.state / "sources" / f"{name}.git"
        return Site(
            name=name,
            app=app,
            engine=self.engine,
            proxy=self.proxy,
            repository=GitRepository(app.update.git, mirror, settings.source),
            journal=self.journal,
            work=settings.state / "work",
            configuration=settings.config,
            environment=settings.panel_environment if name == PANEL else {},
            min_free_bytes=self.config.disk.min_free_mb * MIB,
            keep=Keep(
                self.config.disk.keep_images, self.config.disk.keep_output, self.config.disk.build_cache_mb * MIB
            ),
            backups=settings.backups_at(app.update.backup.backup_location),
            tools_image=settings.tools_image,
            data_turn=self._data_turns.setdefault(name, asyncio.Lock()),
            say=self.events.say,
        )

    def _routes(self) -> list[AppRoute]:
        return [self._route(site) for site in self.sites()]

    def _route(self, site: Site) -> AppRoute:
        slots = self.journal.slots(site.name)
        active = None
        warm = recovery.warm_standby(site)
        servers: dict[Colour, Server] = {}
        fallbacks = set()
        for role, holder in (("active", slots.active), ("standby", slots.standby)):
            deployment = self.journal.deployment(holder) if holder else None
            if deployment and deployment.colour:
                servers[deployment.colour] = Server(deployment.address, deployment.port)
                if role == "active":
                    active = deployment.colour
                elif deployment == warm:
                    fallbacks.add(deployment.colour)
        route = site.app.route
        return AppRoute(site.name, route.host, route.path, route.default, active, servers, frozenset(fallbacks))

    async def _come_up(self) -> None:
        try:
            for site in self.sites():
                if await rebuild.slots_from_what_runs(site):
                    log.warning("the journal knew nothing of an app that runs: rebuilt", app=site.name)
            self.proxy.know(self._routes())
            log.info("proxy answers", version=await self.proxy.wait_until_up(deadline_s=120))
            # A reload ends the old worker's ways to change: not while requests may wait in it for what is to be
            # finished, unless it could not route them to it anyway.
            interrupted = any(one.state is State.RUNNING for one in self.journal.unfinished())
            if not interrupted or await self.proxy.lacks_backends():
                await self.proxy.configure(self._routes(), deadline_s=120)
            await recovery.remove_leftovers(self.engine, self.settings.state / "work")
            for site in self.sites():
                await self._recover(site)
            if interrupted:
                await self.proxy.configure(self._routes())
            # Only now: requests that wait for a schema change must not go on before it is finished or undone.
            for paused in await self.proxy.paused():
                await self.proxy.resume(paused)
        except ChangeoverError as error:
            log.error("start failed", cause=error.cause, remedy=error.remedy)
            self.events.publish("start_failed", cause=error.cause, remedy=error.remedy)
            raise
        self.ready = True
        first_start = not self.journal.slots(PANEL).active and self.queue.busy_with(PANEL) is None
        if first_start and self.settings.deploy_panel:
            self.queue.request(PANEL, ref="", by="first start")
        self.checker.follow(self.sites())
        await self._watch_config(self.settings.config)

    async def _recover(self, site: Site) -> None:
        """What is wrong with one app is told, and does not keep the others from coming back."""
        try:
            await recovery.recover(site, self.events, self.queue)
        except ChangeoverError as error:
            self.recovery_problems[site.name] = str(error)
            log.error("recovery failed", app=site.name, cause=error.cause, remedy=error.remedy)
            self.events.publish("recovery_failed", site.name, cause=error.cause, remedy=error.remedy)

    async def _watch_config(self, path: Path) -> None:
        if not path.parent.is_dir():
            return
        async for changes in awatch(path.parent, recursive=False, step=100):
            if any(Path(changed).name == path.name for _, changed in changes):
                await self.reload_config()

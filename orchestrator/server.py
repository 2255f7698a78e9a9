"""The server: creates the parts, connects them, starts and stops them."""

from __future__ import annotations

import asyncio

import structlog

from border.secrets import Secrets
from border.urls import credentials_in
from orchestrator.access.audit import AuditLog
from orchestrator.access.gate import Gate
from orchestrator.alerts.disk import DiskWatch
from orchestrator.alerts.keeper import AlertKeeper
from orchestrator.apps.crashes import Crashes
from orchestrator.apps.deployed_values import DeployedValues
from orchestrator.apps.engine_events import EngineEvents
from orchestrator.apps.health import HealthBoard
from orchestrator.apps.outages import Outages
from orchestrator.apps.probe import HttpProber
from orchestrator.apps.registry import AppRegistry
from orchestrator.config import user_files
from orchestrator.config.preflight import Deployable
from orchestrator.config.schema import PANEL, Config
from orchestrator.config.watcher import ConfigFile, Read
from orchestrator.deploy.busy_apps import refuse_to_remove
from orchestrator.deploy.crashed_standby import CrashedStandbys
from orchestrator.deploy.failover import Failover
from orchestrator.deploy.routes import routes_of
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.deploy.used_uploads import UsedUploads, keep_removing_unused, names_of
from orchestrator.domain.askers import BY_FIRST_START
from orchestrator.domain.deployment import State
from orchestrator.domain.events import ConfigLoaded, ConfigRefused, StartFailed
from orchestrator.domain.sentences import sentences
from orchestrator.engine.base import Engine
from orchestrator.engine.docker.engine import DockerEngine
from orchestrator.errors import ChangeoverError, ConfigError, JournalError, Refused
from orchestrator.events.notifier import LogNotifier
from orchestrator.events.stream import EventStream
from orchestrator.host.fair_turns import FairTurns
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.journal.store import Journal
from orchestrator.logs.kept import KeptLogs
from orchestrator.notices.notifier import Notices
from orchestrator.notices.trials import Trials
from orchestrator.proxy.base import Proxy
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.pushes.checks import PushCheckRunner
from orchestrator.recovery import rebuild_journal, resume
from orchestrator.recovery.all_apps import Recovery
from orchestrator.reports.commit_reports import CommitReports
from orchestrator.settings import Settings
from orchestrator.supervision import Supervisor
from orchestrator.traffic.traffic import Traffic
from orchestrator.updates.checker import UpdateChecker

log = structlog.get_logger()

PROXY_UP_WITHIN_S = 120
"""Sidecars at a time for requests that only read, such as a list of backups. A deployment waits for none of them."""
MOST_SIDECARS_OF_READERS, MOST_SIDECARS_OF_APP = 4, 2
"""A backup of an app may take minutes to read, and its status command `migrate.timeout`: others are asked meanwhile."""


class Orchestrator:
    """The server without its API. `start` begins recovery and background tasks; `stop` cancels what is running.

    `engine` and `proxy` are Docker and HAProxy by default. `known_secrets` are taken out of everything that is kept,
    shown or logged; the process's log uses the same ones.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine | None = None,
        proxy: Proxy | None = None,
        known_secrets: Secrets | None = None,
    ) -> None:
        hidden = self.known_secrets = known_secrets or Secrets()
        self.settings = settings
        self._kept_config = settings.state / "last-valid-config.yaml"
        self.config_file = ConfigFile(settings.config, self._kept_config)
        self.deployable = Deployable(settings.config.parent)
        self.known_secrets.know(credentials_in(settings.database_url) | credentials_in(settings.panel_database_url))
        self.journal = Journal(settings.journal_url, settings.config, self.known_secrets)
        self.gate, self.audit = Gate(self.journal), AuditLog(self.journal)
        self.events = EventStream(self.journal, known_secrets=self.known_secrets)
        self.supervisor, self.kept_logs = Supervisor(), KeptLogs(settings.state / "logs")
        self.engine: Engine = engine or DockerEngine(settings.stack, settings.network, hidden, self.kept_logs.keep)
        self.proxy: Proxy = proxy or HAProxy(settings.proxy, tell=self.events.publish)
        parts = (settings, self.engine, self.proxy, self.journal, HttpProber(), self.kept_logs)
        self.crashes, self.crashed_standbys = Crashes(), CrashedStandbys()
        self.apps = AppRegistry(*parts, self.events.say, self.events.publish, self.known_secrets, self.crashes)
        self.sidecars_of_readers = FairTurns(MOST_SIDECARS_OF_READERS, MOST_SIDECARS_OF_APP)
        self.scheduler = Scheduler(self.journal, self.events, self.apps.get)
        self.traffic = Traffic(self.proxy, self.engine, self.journal, self.apps.names)
        self.health = HealthBoard(self.apps.all, self.events, self.crashes, self.traffic.ticks)
        self.outages = Outages(self.apps.all, self.journal, self.events, self.health.why, self.scheduler.busy_with)
        self.failover = Failover(self.apps.all, self.scheduler, self.events, self.crashes)
        self.checker = UpdateChecker(self.journal, self.events, self.scheduler, self.supervisor)
        checking = self.scheduler, self.checker, self.supervisor
        self.pushes = PushCheckRunner(self.journal, self.events, *checking, self.apps.get)
        problems = self.supervisor.problems
        self.reports = CommitReports(self.journal, self.events, self.apps.get, hidden, problems=problems)
        self.notices = Notices(self.journal, self.events, self._config_in_use, settings, hidden, problems=problems)
        self.trials = Trials(self.notices)
        self.alerts, self.deployed_values = AlertKeeper(self.journal), DeployedValues(self.apps.all, self.journal)
        self.disk = DiskWatch(settings.state, self._config_in_use, self.journal, self.events)
        told = (LogNotifier(), self.alerts, self.deployed_values, self.health, self.outages, self.failover)
        also = (UsedUploads(self.journal, self.apps.uploads), self.notices, self.crashed_standbys)
        for notifier in (*told, self.checker, self.reports, *also):
            self.events.add(notifier)
        self.ready = False
        self.recovery = Recovery(self.apps.all, self.proxy, self.events, self.scheduler, self.health.due)
        listeners = (self.crashes, self.health, self.failover, self.recovery)
        self.engine_events = EngineEvents(self.engine, listeners)
        self._proxy_is_prepared = self._reload_is_due = False
        self._proxy_may_differ = False
        """It failed while it took a configuration: it may have a part of one that is not in use."""

    def _config_in_use(self) -> Config:
        return self.config_file.config

    def load(self) -> None:
        """Read the configuration, and write the proxy's files that do not exist yet.

        If the file is invalid, the configuration that was in use last is used. If there is none, the start waits for a
        valid file, and the proxy goes on with the files that it has. Raises JournalError or ProxyError.
        """
        user_files.make_missing_if_possible(self.settings.config, self._kept_config)
        read = self.config_file.read_at_start()
        self._use(read.loaded.config if read else Config())
        if read is None:
            log.error("configuration refused, a valid one is waited for", problems=self.config_file.problem)
        elif self.config_file.problem:
            self.config_file.use_kept(read)
            log.error("configuration refused, the last valid one is used", problems=self.config_file.problem)
        else:
            self.config_file.accept(read)
        self.proxy.prepare_files(routes_of(self.apps.all()))

    async def start(self) -> None:
        """Start the background tasks. `ready` becomes true when every app was recovered, or was tried to be."""
        self.supervisor.keep("recovery", self._come_up)
        self.supervisor.keep("health probes", self.health.keep_current)
        self.supervisor.keep("outages", self.outages.keep_current)
        for name, kept in (("alerts", self.alerts), ("deployed values", self.deployed_values)):
            self.supervisor.keep(name, kept.keep_current)
        self.supervisor.keep("disk space", self.disk.keep_watching)
        self.supervisor.keep("engine events", self.engine_events.follow)
        self.traffic.start(self.supervisor)

    async def stop(self) -> None:
        """Cancel the background tasks and the running deployments, and close the journal."""
        await self.supervisor.stop()
        await self.recovery.stop()
        await self.scheduler.stop()
        await self.notices.queue_the_rest()
        try:
            await self.events.stop()
        except JournalError as error:
            log.error("last lines of output not recorded", cause=error.cause)
        self.journal.close()

    async def reload_config(self) -> None:
        """Read the configuration file and use it, whole or not at all.

        If it is not valid, or anything else goes wrong, everything stays as it was, and the reason is recorded, logged
        and published. What may go away without a change of the file is tried again.
        """
        before = self.config_file.config
        try:
            read = await self._read_config()
            if (changed := read.loaded.config != before) or self._proxy_may_differ:
                refuse_to_remove(self.apps.all(), read.loaded.config, self.scheduler.doing)
                await self._take(read.loaded.config, before)
        except ChangeoverError as error:
            await self._refuse_config(error)
        except Exception as error:
            log.exception("configuration not used because of a defect in Changeover")
            says = f"Unexpected {type(error).__name__}: {error}."
            await self._refuse_config(ChangeoverError(says, "Report this defect in Changeover."))
        else:
            self.config_file.accept(read)
            if changed:
                self.recovery.configured()
                self.checker.follow(self.apps.all())
                await self.events.publish(ConfigLoaded(sorted(context.name for context in self.apps.all())))

    async def _read_config(self) -> Read:
        """Raises ConfigError. In a thread: a large file takes seconds to read."""
        return await to_its_end(asyncio.to_thread(self.config_file.read))

    async def _refuse_config(self, error: ChangeoverError) -> None:
        invalid, waits = isinstance(error, ConfigError), isinstance(error, Refused)
        remedy = error.remedy if invalid or waits else sentences(error.remedy, "It is tried again by itself.")
        if self.config_file.refuse(error.cause, remedy=remedy, waits=waits, try_again=not invalid):
            log.error("configuration refused", problems=error.cause)
            says = error.cause if invalid else f"{error.cause} {remedy}"
            await self.events.publish(ConfigRefused(says.splitlines()))

    async def _take(self, config: Config, before: Config) -> None:
        """Use this configuration; back to the one before when anything goes wrong. Raises ProxyError."""
        try:
            self._use(config)
            await self.proxy.configure(routes_of(self.apps.all()))
        except BaseException:
            self._use(before)
            self._proxy_may_differ = True
            raise
        self._proxy_may_differ = False

    def _use(self, config: Config) -> None:
        self.proxy.spare_backends = config.proxy.spare_backends
        self.apps.take(config)
        self.recovery.expect()

    async def _come_up(self) -> None:
        """Recover all apps, deploy the panel at the first start, and begin to follow sources and configuration.

        Started again by the supervisor until the proxy and the journal answer; apps that are recovered are left alone.
        """
        await self._until_configured()
        try:
            if not self._proxy_is_prepared:
                await self._prepare_proxy()
                self._proxy_is_prepared = True
            await self._recover_all()
        except ChangeoverError as error:
            await self.events.publish(StartFailed(error.cause, error.remedy))
            raise
        self.ready = True
        first_start = not self.journal.slots(PANEL).active and self.scheduler.busy_with(PANEL) is None
        if first_start and self.settings.deploy_panel:
            await self.scheduler.request(PANEL, ref="", by=BY_FIRST_START)
        self.checker.follow(self.apps.all())
        self.supervisor.keep("pushes from before the start", self.pushes.resume)
        await self.reports.tell_again(self.apps.all())
        self.supervisor.keep("commit statuses", self.reports.keep_sending)
        self.supervisor.keep("notices", self.notices.keep_sending)
        self.supervisor.keep("failover", self.failover.keep)
        self.supervisor.keep("configuration", self._follow_config)
        self.supervisor.keep("recovery of apps", self.recovery.keep_recovering)
        self.supervisor.keep("look for removed containers", self.recovery.keep_looking)
        self.supervisor.keep("unused archives", lambda: keep_removing_unused(self.apps.uploads, self.journal))

    async def _until_configured(self) -> None:
        """At a start without any valid configuration: wait for one. The proxy serves from the files that it has."""
        if self.config_file.is_known:
            return
        async for _ in self.config_file.changes():
            try:
                read = await self._read_config()
            except ConfigError as error:
                await self._refuse_config(error)
                continue
            self._use(read.loaded.config)
            self.config_file.accept(read)
            self.proxy.prepare_files(routes_of(self.apps.all()))
            return

    async def _follow_config(self) -> None:
        # Changes between the start and now are found by reading once.
        await self.reload_config()
        async for _ in self.config_file.changes():
            await self.reload_config()

    async def _prepare_proxy(self) -> None:
        """Once per process: what comes after may have begun new work, of which the routes in memory know."""
        for context in self.apps.all():
            if await rebuild_journal.slots_from_what_runs(context):
                log.warning("journal rebuilt from the running containers", app=context.name)
        routes = routes_of(self.apps.all())
        self.proxy.know(routes)
        log.info("proxy answers", version=await self.proxy.wait_until_up(deadline_s=PROXY_UP_WITHIN_S))
        # After a reload, the old HAProxy worker takes no more changes, but still has the paused requests. So there is
        # no reload while a deployment is interrupted, unless the worker lacks the backends to route to.
        self._reload_is_due = await self._is_interrupted()
        if not self._reload_is_due or await self.proxy.lacks_backends():
            await self.proxy.configure(routes, deadline_s=PROXY_UP_WITHIN_S)
        await resume.remove_leftovers(self.engine, self.settings.state / "work")
        self.apps.uploads.remove_left(names_of(await self.journal.beside(self.journal.unfinished)))

    async def _recover_all(self) -> None:
        await self.recovery.recover_all()
        if self._reload_is_due:
            await self.proxy.configure(routes_of(self.apps.all()))
            self._reload_is_due = False
        await self.recovery.go_on()

    async def _is_interrupted(self) -> bool:
        """Whether an earlier process was stopped during a deployment, which is not finished or undone yet."""
        running = (one for one in await self.journal.beside(self.journal.unfinished) if one.state is State.RUNNING)
        return any(not self.recovery.is_finished(one.app) for one in running)

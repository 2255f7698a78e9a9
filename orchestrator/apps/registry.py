"""The configured apps and their contexts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

from border.secrets import Secrets
from orchestrator.apps.backup_places import BackupPlaces
from orchestrator.apps.commands_under_way import CommandsUnderWay
from orchestrator.apps.context import AppContext, Limits, Publish
from orchestrator.apps.crashes import Crashes
from orchestrator.apps.probe import Prober
from orchestrator.config.app_schema import App, Route
from orchestrator.config.schema import PANEL, Config, Disk
from orchestrator.config.secret_values import open_names, secret_values
from orchestrator.engine.base import Engine
from orchestrator.errors import Refused, UnknownApp
from orchestrator.journal.store import Journal
from orchestrator.logs.kept import KeptLogs
from orchestrator.proxy.base import Proxy
from orchestrator.settings import Settings
from orchestrator.sources.factory import open_source
from orchestrator.sources.uploads import Uploads

MIB = 1024 * 1024


class AppRegistry:
    """Makes a context for each configured app. The lock on an app's data stays the same across configurations."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        proxy: Proxy,
        journal: Journal,
        prober: Prober,
        kept_logs: KeptLogs,
        say: Callable[[str, str], None],
        publish: Publish,
        known_secrets: Secrets,
        crashes: Crashes,
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._proxy = proxy
        self._journal = journal
        self._prober = prober
        self._say = say
        self._publish = publish
        self._known_secrets = known_secrets
        self._crashes = crashes
        self._contexts: dict[str, AppContext] = {}
        self.uploads = Uploads(settings.state / "uploads")
        self.kept_logs = kept_logs
        self.backup_places = BackupPlaces(settings.state / "backup-places.json")
        # A change of the configuration makes new contexts; a backup or restore that runs keeps its lock.
        self._data_turns: dict[str, asyncio.Lock] = {}
        self._standby_turns: dict[str, asyncio.Lock] = {}
        self._commands: dict[str, CommandsUnderWay] = {}
        self._source_locks: dict[str, asyncio.Lock] = {}

    def get(self, app: str) -> AppContext:
        """The context of an app. Raises UnknownApp."""
        if app not in self._contexts:
            raise UnknownApp(f"No app '{app}' is configured.", f"Configured apps: {', '.join(self._contexts)}.")
        return self._contexts[app]

    async def known(self, app: str) -> AppContext:
        """The context of an app to read what is kept of it, also if it is not configured any more.

        It was deployed once, or its backups had a place of their own. Raises UnknownApp or JournalError.
        """
        if app not in self._contexts:
            is_known = await self._journal.beside(self._journal.has_history, app) or self.backup_places.of(app)
            if is_known and app not in self._contexts:
                return self.removed(app)
        return self.get(app)

    def commands_of(self, app: str) -> CommandsUnderWay:
        """Also those of an app that was taken out of the configuration while they run. Raises UnknownApp."""
        return self._commands.get(app) or self.get(app).commands

    def has(self, app: str) -> bool:
        """Whether the app is configured."""
        return app in self._contexts

    def all(self) -> list[AppContext]:
        """All contexts in the order of the configuration, the panel first."""
        return list(self._contexts.values())

    def names(self) -> list[str]:
        return list(self._contexts)

    def removed(self, app: str) -> AppContext:
        """A context for an app that is not configured any more, with defaults for everything. Raises Refused."""
        if app in self._contexts:
            raise Refused(
                f"{app} is configured: what it has is in use.",
                "Take it out of the configuration file first; nothing of it is removed by that.",
            )
        return self._context(app, App(route=Route(path=f"/{app}")), _limits(Disk()))

    def take(self, config: Config) -> None:
        """Replace the contexts by those of this configuration, whose secrets are known from now on."""
        self._known_secrets.leave((self._settings.stack, *open_names(config)))
        self._known_secrets.know(secret_values(config, self._settings.config.parent))
        self._contexts = {name: self._same_or_new(name, app, config.disk) for name, app in config.all_apps().items()}
        for context in self._contexts.values():
            if context.backups != self._settings.backups:
                self.backup_places.remember(context.name, context.backups)

    def _same_or_new(self, name: str, app: App, disk: Disk) -> AppContext:
        """An app for which nothing changed keeps its context, and with it its source and its checks."""
        known = self._contexts.get(name)
        limits = _limits(disk)
        if known is None:
            return self._context(name, app, limits)
        if known.config == app:
            return known if known.limits == limits else replace(known, limits=limits)
        new = self._context(name, app, limits)
        is_same = (known.config.update, known.config.build.context) == (app.update, app.build.context)
        return replace(new, source=known.source) if is_same else new

    def _context(self, name: str, app: App, limits: Limits) -> AppContext:
        settings = self._settings
        return AppContext(
            name=name,
            config=app,
            engine=self._engine,
            proxy=self._proxy,
            source=open_source(
                app,
                name,
                settings.state / "sources",
                settings.source,
                self._source_locks.setdefault(name, asyncio.Lock()),
                self._known_secrets,
                settings.config.parent,
            ),
            journal=self._journal,
            work=settings.state / "work",
            uploads=self.uploads,
            config_file=settings.config,
            environment=settings.panel_environment if name == PANEL else {},
            limits=limits,
            backups=settings.backups_at(app.update.backup.backup_location),
            tools_image=settings.tools_image,
            data_turn=self._data_turns.setdefault(name, asyncio.Lock()),
            commands=self._commands.setdefault(name, CommandsUnderWay(name)),
            prober=self._prober,
            kept_logs=self.kept_logs,
            say=self._say,
            publish=self._publish,
            known_secrets=self._known_secrets,
            crashes=self._crashes,
            standby_turn=self._standby_turns.setdefault(name, asyncio.Lock()),
        )


def _limits(disk: Disk) -> Limits:
    return Limits(
        min_free_bytes=disk.min_free_mb * MIB,
        keep_images=disk.keep_images,
        keep_output=disk.keep_output,
        build_cache_bytes=disk.build_cache_mb * MIB,
    )

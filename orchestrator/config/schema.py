"""The whole file `control-panel-config.yaml`, and the panel as an app.

The panel is configured at the top level, other apps below their name in `apps:`. This module re-exports the sections of
update_schema.py, app_schema.py and run_schema.py.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from orchestrator.config.app_schema import App, Build, Drain, Dump, Health, Migrate, Route
from orchestrator.config.notify_schema import Notify, Targets
from orchestrator.config.push_schema import Push
from orchestrator.config.run_schema import Run
from orchestrator.config.section import MOST, Megabytes, NoEffectYet, Section, Unit
from orchestrator.config.source_schema import GitSource
from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.config.value_types import HostNameOrNone

__all__ = [
    "PANEL", "App", "Build", "Config", "Disk", "Drain", "Dump", "GitSource", "Health", "HotReload", "Migrate",
    "ProxySettings", "Route", "Run", "UpdatePolicy", "panel_app",
]  # fmt: skip

PANEL = "panel"
PANEL_MEMORY = "2g"
"""Each open page of the panel is a process of some 25 MB of its own."""
PANEL_HOSTS = ("127.0.0.1", "localhost", "[::1]")
"""The hosts at which the panel always answers, with any port, as through a tunnel of SSH."""

AppName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,29}[a-z0-9])?$")]


class HotReload(Section):
    """Development mode of the panel, in which it takes changed source files without an update."""

    enabled: bool = True
    """Watch source files. Example: false"""
    watch_paths: Annotated[tuple[str, ...], Unit("list of paths")] = ("./panel",)
    """Files and folders to watch. Differs from the original specification (`./control_panel.py` and other files),
    because this panel's source is in `panel/`. Example: ["./panel", "./migrations"]"""
    exclude_patterns: Annotated[tuple[str, ...], Unit("list of glob patterns")] = (
        "**/__pycache__/**",
        "**/*.pyc",
        "**/tests/**",
        "**/.git/**",
    )
    """Files and folders to ignore. Example: ["**/tests/**"]"""
    debounce_ms: Annotated[int, Field(ge=0, le=MOST), Unit("milliseconds")] = 500
    """How long files must be unchanged before a reload. Example: 50"""
    auto_reload: bool = True
    """Reload automatically after a change. Example: false"""
    reload_notification: bool = True
    """Show a message after a reload. Example: false"""
    notification: bool = True
    """Another name of `reload_notification`. Example: false"""


class Disk(Section):
    """Disk space and retention."""

    min_free_mb: Megabytes = 1024
    """The disk space that must be free in the folder of fetched sources; otherwise a deployment fails. Example: 4096"""
    keep_images: Annotated[int, Field(ge=1, le=MOST), Unit("deployments per app")] = 5
    """The images of this many most recent releases that were live are kept, in addition to those of the active release
    and the standby, those that a rollback to the standby needs, those of backups, and that of a deployment that failed
    last. Example: 10"""
    keep_output: Annotated[int, Field(ge=1, le=MOST), Unit("deployments per app")] = 20
    """The output of builds and migrations, and the logs of removed containers, are kept for this many most recent
    deployments; rollbacks and restores are not counted. Example: 100"""
    build_cache_mb: Megabytes = 4096
    """BuildKit's cache is reduced to this size after a deployment, least recently used entries first; while it is
    smaller, after every fifth one. Example: 10240"""


class ProxySettings(Section):
    """The proxy in front of all apps."""

    spare_backends: Annotated[int, Field(ge=0, le=1000), Unit("apps")] = 8
    """How many apps can be added before HAProxy must reload its configuration: it has unused backends for this many
    apps beyond the configured ones. A change takes effect at the next reload. Example: 32"""


class PublicPanel(Section):
    """How browsers reach the panel."""

    host: HostNameOrNone = None
    """The host name at which the panel answers, in addition to 127.0.0.1, localhost and [::1]. No app can use it.
    Example: panel.example.com"""


class Public(Section):
    """What is reachable from other machines."""

    panel: PublicPanel = PublicPanel()


class Config(Section):
    """The whole file."""

    hot_reload: Annotated[HotReload, NoEffectYet("development mode is not implemented")] = HotReload()
    update: UpdatePolicy = UpdatePolicy()
    push: Push | None = None
    notify: Targets = ()
    disk: Disk = Disk()
    proxy: ProxySettings = ProxySettings()
    public: Public = Public()
    apps: dict[AppName, App] = {}

    @field_validator("apps")
    @classmethod
    def _panel_is_ours(cls, apps: dict[str, App]) -> dict[str, App]:
        if PANEL in apps:
            raise ValueError(
                "the name 'panel' is reserved, because the panel is configured at the top level; rename this app"
            )
        return apps

    def app(self, name: str) -> App | None:
        """An app, or the panel; None if there is none of this name."""
        return panel_app(self.update, self.public, self.push) if name == PANEL else self.apps.get(name)

    def all_apps(self) -> dict[str, App]:
        """The panel first, then the others in the file's order."""
        return {PANEL: panel_app(self.update, self.public, self.push), **self.apps}

    def told_of(self, app: str) -> tuple[Notify, ...]:
        """Who is told what happens to an app: those of all apps first."""
        return (*self.notify, *(self.apps[app].notify if app in self.apps else ()))


def panel_hosts(public: Public) -> tuple[str, ...]:
    """The hosts that are the panel's alone."""
    return (*PANEL_HOSTS, public.panel.host) if public.panel.host else PANEL_HOSTS


def panel_app(update: UpdatePolicy, public: Public, push: Push | None = None) -> App:
    """The panel as an app: everything but `update` and `push` is fixed, so that users need not configure it."""
    return App(
        update=update,
        push=push,
        # The image of a registry is taken as it is.
        build=Build() if update.source == "registry" else Build(target="panel"),
        run=Run(port=8000, data="/data", memory=PANEL_MEMORY, read_only=True),
        # Not validated: [::1] is a host that no app can have.
        route=Route.model_construct(hosts=panel_hosts(public)),
        health=Health(path="/readyz", page="/"),
        migrate=Migrate(
            command="python -m migrations panel upgrade",
            status="python -m migrations panel status",
            down="python -m migrations panel downgrade {revision}",
        ),
        drain=Drain(signal="SIGUSR1", timeout=10),
    )

"""What `control-panel-config.yaml` may say, with every default and its reason.

The panel is configured at the top level, as in SEED.md; other apps stand under `apps:`. Durations are in seconds
unless the name says otherwise. `loader.py` reads the file and finds the line of whatever is wrong.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

PANEL = "panel"

Seconds = Annotated[float, Field(gt=0)]
AppName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class Section(BaseModel):
    """A part of the file: unknown keys are refused, values are never changed after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class GitSource(Section):
    remote: str = "."
    """A URL, a path, the name of a remote of the checkout, or `.` for the checkout that compose stands in."""
    branch: str | None = None
    """The branch to follow; the remote's default branch when not given."""
    path: str = "."
    """The folder of the repository that is built."""
    auto_fetch: bool = True
    fetch_interval: Seconds = 3600


class PypiSource(Section):
    package_name: str
    index_url: str | None = None
    pre_release: bool = False


class UrlSource(Section):
    manifest_url: str
    download_url: str


class BackgroundCheck(Section):
    enabled: bool = True
    interval: Seconds = 3600
    notify: bool = True


class Backup(Section):
    create_before_update: bool = True
    """Before every update of an app that has data."""
    keep_backups: Annotated[int, Field(ge=1)] = 5
    backup_location: str | None = None
    """A folder of the host, `~` being your home; the volume of the backups when not given."""


class Migrations(Section):
    enabled: bool = True
    auto_run: bool = True
    """When false, an update with pending migrations fails before them unless it was asked for with `--migrate`."""
    backup_before_migration: bool = True
    """Before an update that migrates, even where `create_before_update` is off."""


class Rollback(Section):
    enabled: bool = True
    auto_rollback_on_failure: bool = True
    """Remove the candidate of an update that failed. When false it stays, stopped, to be looked at until the next
    update; data and traffic go back to how they were either way."""
    max_rollback_attempts: Annotated[int, Field(ge=1)] = 3
    """How often each thing that an update did is tried to be undone."""


class UpdatePolicy(Section):
    """`update:`, for the panel at the top level and for any app below its name."""

    enabled: bool = True
    source: Literal["git", "pypi", "url"] = "git"
    git: GitSource = GitSource()
    pypi: PypiSource | None = None
    url: UrlSource | None = None
    check_on_startup: bool = True
    notify_on_update: bool = True
    auto_update: bool = False
    background_check: BackgroundCheck = BackgroundCheck()
    backup: Backup = Backup()
    migrations: Migrations = Migrations()
    rollback: Rollback = Rollback()


class HotReload(Section):
    """Development mode of the panel, as in SEED.md."""

    enabled: bool = True
    watch_paths: tuple[str, ...] = ("./panel",)
    exclude_patterns: tuple[str, ...] = ("**/__pycache__/**", "**/*.pyc", "**/tests/**", "**/.git/**")
    debounce_ms: Annotated[int, Field(ge=0)] = 500
    auto_reload: bool = True
    reload_notification: bool = True
    notification: bool = True


class Build(Section):
    dockerfile: str = "Dockerfile"
    target: str | None = None
    args: dict[str, str] = {}
    timeout: Seconds = 1800


class Run(Section):
    port: Annotated[int, Field(ge=1, le=65535)] = 8000
    command: tuple[str, ...] | None = None
    env: dict[str, str] = {}
    env_file: str | None = None
    """A file of NAME=value lines beside the configuration file, for secrets that should not stand in it."""
    data: str | None = None
    """Where in the container the app's data volume is mounted; no volume when not given."""
    memory: str | None = None
    user: str | None = None
    """Whom the container runs as; the image's own user, or 10001 where that would be root."""
    privileges: bool = False
    """Keep Linux capabilities and the right to gain new privileges; both are dropped otherwise."""

    @field_validator("memory")
    @classmethod
    def _memory_is_a_size(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"\d+[bkmg]?", value):
            raise ValueError("expected a size such as 256m or 1g")
        return value

    @field_validator("data")
    @classmethod
    def _data_is_absolute(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("/"):
            raise ValueError("expected an absolute path in the container, such as /data")
        return value


class Route(Section):
    """Which requests are the app's: a host name, a path prefix, or all that no other app claims."""

    host: str | None = None
    path: str | None = None
    default: bool = False

    @field_validator("host")
    @classmethod
    def _host_is_bare(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", value):
            raise ValueError("expected a host name without scheme, port or path, such as shop.example.com")
        return value.lower() if value else value

    @field_validator("path")
    @classmethod
    def _path_is_a_prefix(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"/[A-Za-z0-9._~/-]+", value):
            raise ValueError("expected a path prefix that begins with /, such as /shop")
        return value.rstrip("/") if value else value

    @model_validator(mode="after")
    def _one_way_in(self) -> Route:
        if not (self.host or self.path or self.default):
            raise ValueError("expected one of host, path or default: true")
        return self


class Health(Section):
    path: str = "/readyz"
    timeout: Seconds = 60
    """How long a candidate may take to become ready."""
    answers: Annotated[int, Field(ge=1)] = 3
    """How many good answers in a row make it ready."""
    page: str | None = None
    """A page that must also answer through the proxy before the switch."""
    websocket: str | None = None
    """A path that must also take a WebSocket handshake through the proxy before the switch."""


class Migrate(Section):
    """How the app's data is brought to a release's schema. Each command runs in a sidecar of the release's image."""

    command: str
    """Applies all pending migrations, in one transaction; does nothing when there are none."""
    status: str | None = None
    """Reports each pending migration as a line `changeover: {"revision": "0002", "compatible": true}`. With it an
    update without migrations starts no sidecar for them, and one that the old release cannot live with runs under
    hold."""
    down: str | None = None
    """Takes migrations back, down to `{revision}`; without it a release that cannot run on the new schema is no
    rollback's goal any more."""
    compatible: bool = True
    """What to assume of migrations that do not say whether the release before can run on their schema."""
    timeout: Seconds = 600
    """After so long a migration is stopped; its transaction is not committed then."""


class Dump(Section):
    """The database server of an app, for its backups. The commands run in a sidecar of the app's image."""

    dump: str
    """Writes the database into the folder that CHANGEOVER_DUMP names, as one consistent moment."""
    restore: str
    """Puts back what lies in the folder that CHANGEOVER_DUMP names, all or nothing."""
    timeout: Seconds = 3600


class Drain(Section):
    timeout: Annotated[float, Field(ge=0)] = 30
    """How long the old colour may finish what it has in hand, WebSockets included."""
    signal: str | None = None
    """Sent to the old container when draining begins, for apps that save and close their sessions on it."""
    stop_timeout: Annotated[int, Field(ge=0)] = 10
    """How long a container that is no longer needed may take to stop before it is killed."""


class App(Section):
    """One app, as it stands under its name in `apps:`."""

    update: UpdatePolicy = UpdatePolicy()
    build: Build = Build()
    run: Run = Run()
    route: Route
    health: Health = Health()
    migrate: Migrate | None = None
    backup: Dump | None = None
    drain: Drain = Drain()
    standby: Literal["warm", "paused", "stopped"] = "warm"


class Disk(Section):
    min_free_mb: Annotated[int, Field(ge=0)] = 1024
    """A deployment is refused when less than this is free: a full disk hurts everything at once."""
    keep_images: Annotated[int, Field(ge=1)] = 5
    """Images of so many last deployments of an app are kept, and always those of the active release and the standby."""
    keep_output: Annotated[int, Field(ge=1)] = 20
    """What builds and migrations printed is kept for so many last deployments of an app."""
    build_cache_mb: Annotated[int, Field(ge=0)] = 4096
    """After a deployment BuildKit's cache on this machine is cut down to this size, least recently used first."""


class Config(Section):
    """The whole file."""

    hot_reload: HotReload = HotReload()
    update: UpdatePolicy = UpdatePolicy()
    disk: Disk = Disk()
    apps: dict[AppName, App] = {}

    @model_validator(mode="after")
    def _panel_is_ours(self) -> Config:
        if PANEL in self.apps:
            raise ValueError("the panel is configured by the top-level keys; give this app another name")
        return self

    def all_apps(self) -> dict[str, App]:
        """The panel first, then the others in the file's order."""
        return {PANEL: panel_app(self.update), **self.apps}


def panel_app(update: UpdatePolicy) -> App:
    """The panel as an app: what is known of it here, so that users need not write it down."""
    return App(
        update=update,
        build=Build(target="panel"),
        run=Run(port=8000, data="/data"),
        route=Route(default=True),
        health=Health(path="/readyz", page="/"),
        migrate=Migrate(
            command="python -m migrations panel upgrade",
            status="python -m migrations panel status",
            down="python -m migrations panel downgrade {revision}",
        ),
        drain=Drain(signal="SIGUSR1", timeout=10),
    )

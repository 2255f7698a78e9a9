"""The sections of one app, below its name in `apps:`. The section `run` is in run_schema.py."""

from __future__ import annotations

import difflib
import posixpath
import re
import signal
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from orchestrator.config.notify_schema import Targets
from orchestrator.config.push_schema import Push
from orchestrator.config.report_schema import Report
from orchestrator.config.run_schema import Run
from orchestrator.config.section import MOST, Seconds, SecondsOrNone, Section, Unit, WholeSecondsOrNone
from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.config.value_types import (
    Command,
    CommandOrNone,
    HostName,
    HostNameOrNone,
    ProxySeconds,
    Size,
    UrlPathOrNone,
    with_names,
)

SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
_PATH_PREFIX = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+/?")
SecretFile = Annotated[str, Field(pattern=r'^[^,"/\x00-\x1f-][^,"\x00-\x1f]*$')]


def _leads_out(path: str) -> bool:
    """Whether a path in the repository leads out of it. Git takes it for an error of the whole repository."""
    return posixpath.normpath(path).split("/")[0] == ".."


class Build(Section):
    """How the image of a release is built from the fetched source, with BuildKit."""

    dockerfile: Annotated[str, Unit("path")] = "Dockerfile"
    """The Dockerfile, relative to `update.git.path`. Example: docker/Dockerfile"""
    context: Annotated[str | None, Unit("path in the repository")] = None
    """The folder that the Dockerfile can copy from, relative to the root of the repository; `update.git.path` when not
    set. For an app whose image needs other folders of its repository. Example: ."""
    target: Annotated[str | None, Unit("stage")] = None
    """The stage of the Dockerfile to build; the last one when not set. Example: production"""
    args: Annotated[dict[str, str], Unit("names and texts")] = {}
    """Build arguments. Do not use them for secrets: they can be read from the image. Example: {PYTHON: "3.13"}"""
    secrets: Annotated[dict[SecretName, SecretFile], Unit("names and paths")] = {}
    """Files, relative to the folder of the configuration file, that `RUN --mount=type=secret,id=NAME` of the Dockerfile
    can read at /run/secrets/NAME. They do not become part of the image. Example: {npm_token: secrets/npm-token}"""
    timeout: Seconds = 1800
    """How long a build may take; then it is stopped and the deployment fails. Example: 3600"""
    memory: Annotated[Size | None, Unit("size of at least 6m, with k, m or g for KiB, MiB, GiB")] = None
    """How much memory each process of a build may have; unlimited when not set. Docker's builder has no limit for all
    processes of a build together. A build with another limit repeats all steps. Example: 4g"""

    @field_validator("context")
    @classmethod
    def _context_is_in_the_repository(cls, value: str | None) -> str | None:
        if value is not None and (not value or value.startswith(("/", ":")) or "\0" in value or _leads_out(value)):
            raise ValueError("expected a path relative to the root of the repository, such as . or services")
        return value

    @field_validator("dockerfile")
    @classmethod
    def _dockerfile_is_in_the_repository(cls, value: str) -> str:
        if not value or value.startswith("/") or "\0" in value:
            raise ValueError("expected a path relative to update.git.path, such as docker/Dockerfile")
        return value

    @field_validator("target")
    @classmethod
    def _target_is_a_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", value):
            raise ValueError("expected the name of a stage of the Dockerfile, such as production")
        return value

    @field_validator("args")
    @classmethod
    def _args_have_names(cls, value: dict[str, str]) -> dict[str, str]:
        return with_names(value)


class Route(Section):
    """Which requests go to the app. At least one of `host`, `hosts`, `path` and `default` is required; no two apps may
    have the same host and path. Hosts of the panel (127.0.0.1, localhost, [::1] and `public.panel.host`) are its alone,
    with all paths. A request that belongs to no app is answered with status 404."""

    host: HostNameOrNone = None
    """Short form of `hosts` for one host name. Example: shop.example.com"""
    hosts: Annotated[tuple[HostName, ...], Unit("list of host names")] = ()
    """Requests for these host names, with any port. Upper and lower case and a dot at the end make no difference.
    Example: [shop.example.com, www.shop.example.com]"""
    path: UrlPathOrNone = None
    """Requests whose path is this prefix or below it; the longest prefix wins. With `hosts`, for these hosts only;
    otherwise for all hosts that no app claims. Several apps can share a host by different paths. Paths are compared as
    they are sent: a letter that a client writes as `%61` is another one than `a`. Example: /shop"""
    strip_path: bool = False
    """Remove `path` from the start of the path before the app receives it; the header `X-Forwarded-Prefix` contains it.
    Example: true"""
    default: bool = False
    """Requests that no other app claims. At most one app can have it. Example: true"""
    max_connections: Annotated[int, Field(ge=0, le=MOST), Unit("connections")] = 0
    """How many requests and WebSockets a container gets at the same time; others wait at the proxy, up to 60 s. 0: as
    many as come, and those that the app does not accept yet wait, up to 31 s. Example: 200"""
    keep_alive: bool = True
    """Keep the proxy's connections to the app open between requests. With false, each is closed after its answer, for a
    server with few threads that serve one connection each until it is closed: at one whose connection is kept and idle,
    other requests would wait. The connections of clients are kept in any case. Example: false"""
    retry: Annotated[tuple[Literal["GET", "HEAD", "OPTIONS", "PUT", "DELETE"], ...], Unit("list of methods")] = ()
    """The methods of requests that are sent again, also to the standby, if a container ended before it answered; none
    when not set. A request that crashes the app is then repeated, at most 76 times. Example: [GET]"""
    answer_timeout: ProxySeconds = 300
    """How long the app may be silent while it owes an answer, or in the middle of one, such as server-sent events. Then
    the request is answered with status 504, or its connection is closed. Example: 900"""
    request_timeout: ProxySeconds = 300
    """How long a client may be silent in the middle of an upload, or not take any of an answer; then its connection is
    closed. Example: 900"""
    websocket_timeout: ProxySeconds = 86400
    """How long both sides of a WebSocket may be silent; then it is closed. Example: 3600"""

    @property
    def all_hosts(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*((self.host,) if self.host else ()), *self.hosts)))

    @property
    def first_host(self) -> str | None:
        return next(iter(self.all_hosts), None)

    @field_validator("path")
    @classmethod
    def _path_is_a_prefix(cls, value: str | None) -> str | None:
        if value == "/":
            raise ValueError("expected a path prefix such as /shop. For all paths of the hosts, leave path out")
        if value is not None and not _PATH_PREFIX.fullmatch(value):
            raise ValueError("expected a path prefix that begins with /, without // and /../, such as /shop")
        return value.rstrip("/") if value else value

    @model_validator(mode="after")
    def _one_way_in(self) -> Route:
        if not (self.all_hosts or self.path or self.default):
            raise ValueError("expected at least one of hosts, path or default: true")
        if self.strip_path and self.default:
            raise ValueError("strip_path cannot be combined with default: true, whose requests have other paths, too")
        return self


DEFAULT_READINESS_PATH = "/readyz"


class Health(Section):
    """The checks that a candidate must pass before it gets traffic."""

    path: UrlPathOrNone = None
    """The path that answers with a status from 200 to 299 when the app is ready. When not set: `/readyz`, or `/` where
    that is not found, and statuses from 200 to 399, 401 and 403 count as ready. Example: /health"""
    host: HostNameOrNone = None
    """The `Host` header of the probes; the first host of the route when not set, or the app's name below `localhost`.
    Example: shop.example.com"""
    timeout: Seconds = 60
    """How long a candidate may take to become ready. Each new value of its `X-Progress` response header starts this
    time again, for 24 hours at most. Example: 120"""
    answers: Annotated[int, Field(ge=1, le=1000), Unit("answers")] = 3
    """The number of successful probes in a row after which a candidate is ready. Example: 5"""
    page: UrlPathOrNone = None
    """A page that must also answer, with a status below 400, through the proxy. Example: /"""
    websocket: UrlPathOrNone = None
    """A path that must also accept a WebSocket handshake through the proxy. Example: /socket"""

    @property
    def first_path(self) -> str:
        """The path that is asked first."""
        return self.path or DEFAULT_READINESS_PATH


class Migrate(Section):
    """The app's own migration commands; see [migrations.md](migrations.md). Each runs in a sidecar of the release's
    image, with the app's data volume and environment."""

    command: Command
    """Applies all pending migrations in one transaction; does nothing when there are none. Required in this section.
    Example: alembic upgrade head"""
    status: CommandOrNone = None
    """Prints a line `changeover: {"revision": "0002", "compatible": true}` for each pending migration. With it, an
    update without migrations starts no sidecar for them, and requests are paused only for a migration that the running
    release cannot work with. Example: python migrations/status.py"""
    down: CommandOrNone = None
    """Reverts migrations; `{revision}` is replaced by the schema revision to return to. Without it, a release that
    cannot run on the new schema cannot be rolled back to. Example: alembic downgrade {revision}"""
    compatible: bool = True
    """Whether the previous release can run after a migration that does not report `compatible`. Example: false"""
    timeout: Seconds = 600
    """How long each command may take; then it is killed, and its transaction is not committed. Example: 1800"""


class Dump(Section):
    """The app's own commands to back up a database server. Each runs in a sidecar of the app's image, and finds the
    folder of the dump in the environment variable `CHANGEOVER_DUMP`."""

    dump: Command
    """Writes the database into the folder, as of one moment. Required in this section. Example: sh -c 'pg_dump
    --file=$CHANGEOVER_DUMP/shop.sql "$DATABASE_URL"'"""
    restore: Command
    """Replaces the database by the content of the folder, in one transaction: also what is newer than the dump must be
    gone. If it fails, its exit code must not be 0; psql needs `ON_ERROR_STOP` for that. Required in this section.
    Example: sh -c 'psql --single-transaction --set=ON_ERROR_STOP=1 --command="DROP SCHEMA public CASCADE; CREATE SCHEMA
    public AUTHORIZATION pg_database_owner; GRANT USAGE ON SCHEMA public TO PUBLIC; COMMENT ON SCHEMA public IS
    \\$\\$standard public schema\\$\\$" --file=$CHANGEOVER_DUMP/shop.sql "$DATABASE_URL"'"""
    timeout: Seconds = 3600
    """How long each command may take; then it is killed and the backup or restore fails. Example: 7200"""


class Drain(Section):
    """How the old colour is drained after a switch."""

    timeout: SecondsOrNone = 30
    """How long requests and WebSockets of the old colour may continue after the switch; then they are closed. So long
    one-off commands may continue, too, before the data changes under them. Example: 120"""
    signal: Annotated[str | None, Unit("signal name")] = None
    """The signal that the old container receives when draining begins, for apps that then save and close their
    sessions. No signal is sent when not set. Example: SIGUSR1"""
    stop_timeout: WholeSecondsOrNone = 10
    """How long a container may take to stop after SIGTERM; then it is killed. Example: 30"""

    @field_validator("signal")
    @classmethod
    def _signal_exists(cls, value: str | None) -> str | None:
        known = {one.name for one in signal.Signals}
        if value is not None and value.upper() not in known | {name.removeprefix("SIG") for name in known}:
            near = difflib.get_close_matches(f"SIG{value.upper().removeprefix('SIG')}", known, n=1)
            says = f" Did you mean {near[0]}?" if near else ""
            raise ValueError(f"expected the name of a signal, such as SIGUSR1.{says}")
        return value.upper() if value else value


class App(Section):
    """One app."""

    update: UpdatePolicy = UpdatePolicy()
    build: Build = Build()
    run: Run = Run()
    route: Route
    health: Health = Health()
    migrate: Migrate | None = None
    backup: Dump | None = None
    drain: Drain = Drain()
    push: Push | None = None
    report: Report | None = None
    notify: Targets = ()
    standby: Annotated[Literal["warm", "paused", "stopped"], Unit("`paused`, `warm` or `stopped`")] = "paused"
    """How the previous release is kept for a rollback and for a crash of the active one; see [standby.md](standby.md).
    `paused`: it keeps its memory, does no work, and is woken in milliseconds. `warm`: it runs on, with its timers and
    jobs. `stopped`: it uses no memory and must start first. Example: stopped"""


def probe_host(name: str, app: App) -> str:
    """The `Host` header of our own requests to an app."""
    return app.health.host or app.route.first_host or f"{name}.localhost"

"""The app context: everything that the steps of an app's deployments use."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from border.secrets import Secrets
from orchestrator.apps.commands_under_way import CommandsUnderWay
from orchestrator.apps.crashes import Crashes
from orchestrator.apps.not_paused import NotPaused
from orchestrator.apps.probe import Prober
from orchestrator.config.app_schema import App, Migrate, probe_host
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.events import Occurrence
from orchestrator.engine.base import Engine
from orchestrator.errors import Refused
from orchestrator.journal.store import Journal
from orchestrator.logs.kept import KeptLogs
from orchestrator.proxy.base import Proxy
from orchestrator.sources.base import Source
from orchestrator.sources.uploads import Uploads


@dataclass(frozen=True)
class Limits:
    """The section `disk:` of the configuration: retention and required disk space. Sizes are in bytes."""

    min_free_bytes: int
    keep_images: int
    keep_output: int
    build_cache_bytes: int


class Publish(Protocol):
    """Publish an event, and other ones with it, as the event stream does. Raises JournalError."""

    def __call__(
        self,
        happened: Occurrence,
        app: str,
        deployment: str,
        *,
        also: Iterable[tuple[Occurrence, str]] = (),
        with_record: Callable[[], None] | None = None,
    ) -> Awaitable[None]: ...


@dataclass(frozen=True)
class AppContext:
    """One app, its configuration and the services that its deployments use.

    A change of the configuration makes a new context with the same locks and `commands`. A backup or a restore locks
    `data_turn`, so that only one copies or replaces the data at a time. Whoever fails over, or pauses
    or stops the containers of the live releases, locks `standby_turn`.
    """

    name: str
    config: App
    engine: Engine
    proxy: Proxy
    source: Source
    journal: Journal
    work: Path
    """The folder in which fetched sources are stored until the deployment ends."""
    uploads: Uploads
    """The archives that wait for their deployment."""
    config_file: Path
    """The configuration file. `run.env_file` is relative to its folder."""
    environment: dict[str, str]
    """Environment variables of every container of this app, in addition to `run.env`."""
    limits: Limits
    backups: str
    """The volume name or host folder that sidecars mount for backups."""
    tools_image: str
    """The orchestrator's own image: sidecars that work on data run it."""
    data_turn: asyncio.Lock
    commands: CommandsUnderWay
    prober: Prober
    kept_logs: KeptLogs
    """The logs of removed containers."""
    say: Callable[[str, str], None]
    """Publish one line of a deployment's output: deployment id, line."""
    publish: Publish
    known_secrets: Secrets = field(default_factory=Secrets)
    """Text from outside passes it before it is shortened, kept or shown."""
    standby_turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    crashes: Crashes = field(default_factory=Crashes)
    """Of the containers of all apps, as the engine's events tell."""
    not_paused: NotPaused = field(default_factory=NotPaused)
    """Not kept when the app's configuration changes: then it is tried again."""

    def container_name(self, deployment: Deployment) -> str:
        return f"{self.engine.stack}-{self.name}-{deployment.colour}-{deployment.id}"

    def sidecar_name(self, deployment: Deployment, job: str) -> str:
        """Another one each time: two may want the same job at once. It is found again by its labels."""
        return f"{self.engine.stack}-{self.name}-{job}-{deployment.id}-{secrets.token_hex(3)}"

    def source_folder(self, deployment: Deployment) -> Path:
        return self.work / deployment.id

    @property
    def image_name(self) -> str:
        """The image's name without its tag; the tag is the abbreviated source revision and the deployment's id."""
        return f"{self.engine.stack}/{self.name}"

    @property
    def migrations(self) -> Migrate | None:
        """The app's migration commands; None when it has none or `update.migrations.enabled` is off."""
        return self.config.migrate if self.config.update.migrations.enabled else None

    @property
    def has_data(self) -> bool:
        return bool(self.config.run.data or self.config.backup)

    @property
    def volume(self) -> str:
        return self.volume_called("data")

    def volume_called(self, name: str) -> str:
        """The engine's name of a volume of this app alone."""
        return f"{self.engine.stack}-{self.name}-{name}"

    @property
    def volumes(self) -> tuple[str, ...]:
        """Every volume that the configuration gives the app: of its data, and of `run.volumes`."""
        more = (self.volume_called(one.source) for one in self.config.run.mounted if one.is_volume)
        return (*((self.volume,) if self.config.run.data else ()), *more)

    @property
    def probe_host(self) -> str:
        """The `Host` header of our own requests to the app."""
        return probe_host(self.name, self.config)

    @property
    def existing_volumes(self) -> tuple[str, ...]:
        """The data volume, if the active release or the standby was made with it: then it must exist, and an empty one
        must not take its place. Raises JournalError."""
        made_with = {one.volume for one in (self.active, self.standby) if one}
        return (self.volume,) if self.config.run.data and self.volume in made_with else ()

    @property
    def active(self) -> Deployment | None:
        """The deployment that has the traffic, from the journal. Raises JournalError."""
        active = self.journal.slots(self.name).active
        return self.journal.deployment(active) if active else None

    def live_release(self) -> Deployment:
        """As `active`. Raises Refused when no release is live."""
        if active := self.active:
            return active
        raise Refused(
            f"{self.name} has no live release.",
            f"Deploy one: changeover deploy {self.name}. Why it has none: changeover history {self.name}",
        )

    @property
    def standby(self) -> Deployment | None:
        """The deployment that a rollback goes to, from the journal. Raises JournalError."""
        standby = self.journal.slots(self.name).standby
        return self.journal.deployment(standby) if standby else None

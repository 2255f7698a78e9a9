"""One app and all that its deployments act on. Steps are given this, and nothing else is global."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.apps.probe import Prober
from orchestrator.config.app_schema import App, Migrate
from orchestrator.domain.deployment import Deployment
from orchestrator.engine.base import Engine
from orchestrator.journal.store import Journal
from orchestrator.proxy.base import Proxy
from orchestrator.sources.base import Source


@dataclass(frozen=True)
class Limits:
    """How much of the past is kept, and how much disk must be free: `disk:` of the configuration, sizes in bytes."""

    min_free_bytes: int
    keep_images: int
    keep_output: int
    build_cache_bytes: int


@dataclass(frozen=True)
class AppContext:
    """Made anew when the app's configuration changes. `data_turn` is not: it belongs to the data.

    Whoever copies the app's data or replaces it holds `data_turn`: a backup, a restore, one at a time.
    """

    name: str
    config: App
    engine: Engine
    proxy: Proxy
    source: Source
    journal: Journal
    work: Path
    """Where fetched sources lie while they are built."""
    config_file: Path
    """The configuration file; `run.env_file` is looked up beside it."""
    environment: dict[str, str]
    """What every container of this app is given beyond its own configuration."""
    limits: Limits
    backups: str
    """What a sidecar mounts as the place of backups: a volume, or a folder of the host."""
    tools_image: str
    """The orchestrator's own image: sidecars that work on data run it."""
    data_turn: asyncio.Lock
    prober: Prober
    say: Callable[[str, str], None]
    """Publish one line of a deployment's output: deployment id, line."""

    def container_name(self, deployment: Deployment) -> str:
        return f"{self.engine.stack}-{self.name}-{deployment.colour}-{deployment.id}"

    def sidecar_name(self, deployment: Deployment, job: str) -> str:
        """Another one each time: two may want the same job at once. It is found again by its labels."""
        return f"{self.engine.stack}-{self.name}-{job}-{deployment.id}-{secrets.token_hex(3)}"

    def source_folder(self, deployment: Deployment) -> Path:
        return self.work / deployment.id

    @property
    def image_name(self) -> str:
        """Without its tag, which is the source revision."""
        return f"{self.engine.stack}/{self.name}"

    @property
    def migrations(self) -> Migrate | None:
        """None where the app has none, or they are switched off."""
        return self.config.migrate if self.config.update.migrations.enabled else None

    @property
    def has_data(self) -> bool:
        return bool(self.config.run.data or self.config.backup)

    @property
    def volume(self) -> str:
        return f"{self.engine.stack}-{self.name}-data"

    @property
    def active(self) -> Deployment | None:
        """The deployment that has the traffic, as the journal says. Raises JournalError."""
        active = self.journal.slots(self.name).active
        return self.journal.deployment(active) if active else None

    @property
    def standby(self) -> Deployment | None:
        """The deployment that a rollback goes to, as the journal says. Raises JournalError."""
        standby = self.journal.slots(self.name).standby
        return self.journal.deployment(standby) if standby else None

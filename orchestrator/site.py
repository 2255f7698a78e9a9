"""One app and all that its deployments act on. Steps are given this, and nothing else is global."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.config import App, Migrate
from orchestrator.engine.containers import (
    LABEL_APP,
    LABEL_COLOUR,
    LABEL_DEPLOYMENT,
    LABEL_RELEASE,
    LABEL_REQUESTED,
    LABEL_REVISION,
    LABEL_ROLE,
    ContainerSpec,
    Role,
)
from orchestrator.engine.docker import DockerEngine
from orchestrator.errors import StepFailed
from orchestrator.journal import Journal
from orchestrator.model import Deployment
from orchestrator.proxy.base import Proxy
from orchestrator.sources.git import GitRepository


@dataclass(frozen=True)
class Keep:
    """How much of the past stays: images and output of so many deployments, and so many bytes of build cache."""

    images: int
    output: int
    build_cache_bytes: int


@dataclass(frozen=True)
class Site:
    name: str
    app: App
    engine: DockerEngine
    proxy: Proxy
    repository: GitRepository
    journal: Journal
    work: Path
    """Where fetched sources lie while they are built."""
    configuration: Path
    """The configuration file; `run.env_file` is looked up beside it."""
    environment: dict[str, str]
    """What every container of this app is told beyond its own configuration."""
    min_free_bytes: int
    keep: Keep
    backups: str
    """What a sidecar mounts as the place of backups: a volume, or a folder of the host."""
    tools_image: str
    """The orchestrator's own image: sidecars that work on data run it."""
    data_turn: asyncio.Lock
    """Held by whoever copies the app's data or replaces it: a backup, a restore. By one at a time."""
    say: Callable[[str, str], None]
    """Publish one line of a deployment's output: deployment id, line."""

    def container_name(self, deployment: Deployment) -> str:
        return f"{self.engine.stack}-{self.name}-{deployment.colour}-{deployment.id}"

    def sidecar_name(self, deployment: Deployment, job: str) -> str:
        return f"{self.engine.stack}-{self.name}-{job}-{deployment.id}"

    def source_folder(self, deployment: Deployment) -> Path:
        return self.work / deployment.id

    @property
    def image_name(self) -> str:
        """Without its tag, which is the revision."""
        return f"{self.engine.stack}/{self.name}"

    @property
    def migrations(self) -> Migrate | None:
        """None where the app has none, or they are switched off."""
        return self.app.migrate if self.app.update.migrations.enabled else None

    @property
    def has_data(self) -> bool:
        return bool(self.app.run.data or self.app.backup)

    @property
    def volume(self) -> str:
        return f"{self.engine.stack}-{self.name}-data"

    def container(
        self, deployment: Deployment, role: Role, name: str, command: tuple[str, ...] | None
    ) -> ContainerSpec:
        """What an app container and a sidecar of the same release have in common."""
        if deployment.release is None:
            raise StepFailed(f"Deployment {deployment.id} has no release yet.")
        run = self.app.run
        return ContainerSpec(
            name=name,
            image=deployment.release.image,
            command=command,
            labels={
                LABEL_APP: self.name,
                LABEL_COLOUR: str(deployment.colour),
                LABEL_DEPLOYMENT: deployment.id,
                LABEL_RELEASE: deployment.release.version,
                LABEL_REVISION: deployment.release.revision,
                LABEL_ROLE: role,
                LABEL_REQUESTED: deployment.requested_at.isoformat(),
            },
            network=self.engine.network,
            address=deployment.address if role is Role.APP else "",
            env={
                **self._env_file(),
                **run.env,
                **self.environment,
                "CHANGEOVER_APP": self.name,
                "CHANGEOVER_COLOUR": str(deployment.colour),
                "CHANGEOVER_VERSION": deployment.release.version,
                "CHANGEOVER_REVISION": deployment.release.revision,
                "CHANGEOVER_DEPLOYMENT": deployment.id,
            },
            owned=((self.volume, run.data),) if run.data else (),
            memory=run.memory,
            user=run.user,
            privileges=run.privileges,
        )

    def _env_file(self) -> dict[str, str]:
        if not self.app.run.env_file:
            return {}
        path = self.configuration.parent / self.app.run.env_file
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise StepFailed(
                f"The env_file {self.app.run.env_file} of {self.name} cannot be read: {error.strerror}.",
                "It is looked up beside the configuration file.",
            ) from error
        pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
        return {name.strip(): value.strip() for name, _, value in pairs}

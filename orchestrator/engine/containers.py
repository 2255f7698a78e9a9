"""What the engine is asked to run, and what it says of what runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

LABEL_STACK = "changeover.stack"
LABEL_APP = "changeover.app"
LABEL_COLOUR = "changeover.colour"
LABEL_DEPLOYMENT = "changeover.deployment"
LABEL_RELEASE = "changeover.release"
LABEL_REVISION = "changeover.revision"
LABEL_ROLE = "changeover.role"
LABEL_REQUESTED = "changeover.requested"
"""When its deployment was asked for: an ISO 8601 moment, UTC."""
LABEL_MIGRATED = "changeover.migrated"
"""The revisions that its deployment applied to the app's data, as JSON."""


class Role(StrEnum):
    """What a container is for."""

    APP = "app"
    SIDECAR = "sidecar"


@dataclass(frozen=True)
class ContainerSpec:
    """One container to be made. `address` is fixed for its life.

    `owned` and `mounts` are pairs of a volume, or a folder of the host, and a path in the container; those of `owned`
    are given to the container's user. `files` are put in before it starts: path and content.
    """

    name: str
    image: str
    labels: dict[str, str]
    network: str
    env: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] | None = None
    address: str = ""
    owned: tuple[tuple[str, str], ...] = ()
    mounts: tuple[tuple[str, str], ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    memory: str | None = None
    user: str | None = None
    privileges: bool = False
    gives_way: bool = False
    """Whether it only gets the processor that no other container wants."""


@dataclass(frozen=True)
class ContainerStatus:
    """What the engine says of one container. `health` is Docker's own: healthy, unhealthy, starting or empty."""

    id: str
    name: str
    labels: dict[str, str]
    running: bool
    paused: bool
    exit_code: int
    oom: bool
    restarts: int
    health: str
    health_log: tuple[str, ...]
    address: str
    image: str

    @property
    def why_stopped(self) -> str:
        if self.oom:
            return "was killed because it used more memory than it may"
        return f"exited with code {self.exit_code}"

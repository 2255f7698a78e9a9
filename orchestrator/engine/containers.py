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


class Role(StrEnum):
    """What a container is for."""

    APP = "app"
    SIDECAR = "sidecar"


@dataclass(frozen=True)
class ContainerSpec:
    """One container to be made. `address` is fixed for its life.

    `data` is (volume, path in the container), given to the container's user; `mounts` are more such pairs, left as
    they are.
    """

    name: str
    image: str
    labels: dict[str, str]
    network: str
    env: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] | None = None
    address: str = ""
    data: tuple[str, str] | None = None
    mounts: tuple[tuple[str, str], ...] = ()
    memory: str | None = None
    user: str | None = None
    privileges: bool = False


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

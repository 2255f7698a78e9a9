"""The container engine as the rest of the orchestrator knows it: what it is asked to run, and what it answers.

`docker/` is the engine of one Docker host.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

LABEL_STACK = "changeover.stack"
LABEL_APP = "changeover.app"
LABEL_COLOUR = "changeover.colour"
LABEL_DEPLOYMENT = "changeover.deployment"
LABEL_RELEASE = "changeover.release"
LABEL_SOURCE_REVISION = "changeover.revision"
LABEL_ROLE = "changeover.role"
LABEL_REQUESTED = "changeover.requested"
"""When its deployment was requested: an ISO 8601 moment, UTC."""
LABEL_MIGRATED = "changeover.migrated"
"""The schema revisions that its deployment applied to the app's data, as JSON."""


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
    """Whether it only gets the processor time that no other container wants."""


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
            return "was killed because it exceeded its memory limit"
        return f"exited with code {self.exit_code}"


@dataclass(frozen=True)
class ContainerEvent:
    """Something happened to a container of this stack: `action` is Docker's word, such as start, die or pause."""

    action: str
    app: str
    role: str
    container: str


@dataclass(frozen=True)
class ImageBuild:
    """One image to be built from a fetched source. `timeout_s` is in seconds."""

    folder: Path
    dockerfile: Path
    tag: str
    timeout_s: float
    target: str | None = None
    args: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class DiskUsage:
    """Disk space in bytes. An image's layers that others share count for none of the images."""

    images: int
    containers: int
    volumes: int
    build_cache: int
    by_image: dict[str, int]
    by_volume: dict[str, int]
    by_app: dict[str, int]
    """What the containers of an app wrote outside of volumes."""


class Engine(Protocol):
    """All that the orchestrator asks of a container engine, for the containers of one stack.

    Every method raises EngineError with the engine's own words.
    """

    @property
    def stack(self) -> str:
        """The prefix of all names, and the label by which a stack knows its own containers."""

    @property
    def network(self) -> str:
        """The network that app containers are in."""

    async def version(self) -> str: ...

    async def wait_until_up(self, deadline_s: float) -> bool:
        """Wait until the engine answers; False if it does not within `deadline_s` seconds."""

    async def build(self, image: ImageBuild, on_line: Callable[[str], None]) -> str:
        """Build an image and give its digest, `sha256:…`. Each line of output goes to `on_line`. Raises StepFailed."""

    async def start(self, spec: ContainerSpec) -> str:
        """Make and start a container, or find the one of the same name. Gives its id."""

    async def run_to_end(
        self, spec: ContainerSpec, timeout_s: float, on_line: Callable[[str], None]
    ) -> tuple[ContainerStatus, bool]:
        """Run a sidecar to its end and remove it: its last status, and whether it was killed after `timeout_s`."""

    async def remove_stray_sidecars(self, app: str) -> list[str]:
        """Remove the app's sidecars that nobody waits for; gives their names."""

    async def status(self, name: str) -> ContainerStatus | None:
        """None when there is no such container."""

    async def containers(self) -> list[ContainerStatus]:
        """Every container of the stack, running or not."""

    async def logs(self, name: str, tail: int = 50) -> tuple[str, ...]:
        """The last `tail` lines; empty when there is no such container."""

    def watch(self) -> AsyncIterator[ContainerEvent]:
        """What happens to the stack's containers from now on, until the engine goes away (EngineError)."""

    async def stop(self, name: str, timeout_s: int) -> None: ...

    async def wake(self, name: str) -> None:
        """Make sure that a stopped or paused container runs."""

    async def pause(self, name: str) -> None: ...

    async def signal(self, name: str, signal: str) -> None: ...

    async def keep_running(self, name: str) -> None:
        """Let the engine itself start the container again when it ends or the machine restarts."""

    async def remove(self, name: str, stop_timeout_s: int = 0) -> bool:
        """Stop and remove a container; True if there was one."""

    async def free_address(self, taken: set[str]) -> str:
        """A fixed address that neither a container of the network nor `taken` has."""

    async def remove_images(self, name: str, keep: set[str]) -> list[str]:
        """Remove every tag of `name` but those of the digests in `keep`; gives the tags removed."""

    async def prune_build_cache(self, keep_bytes: int) -> None: ...

    async def ensure_volume(self, name: str) -> None: ...

    async def remove_volume(self, name: str) -> None: ...

    async def disk_usage(self) -> DiskUsage: ...

    async def keeps_containers_running(self) -> bool:
        """Whether containers outlive a restart of the engine."""

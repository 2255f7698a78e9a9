"""The protocol of the container engine, and the values that it takes and returns."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from orchestrator.domain.crashes import ended_in_words
from orchestrator.domain.log_line import Choose, LogLine, LogPart, LogRange
from orchestrator.engine.container_usage import ContainerUsage
from orchestrator.engine.disk_usage import DiskUsage
from orchestrator.engine.image_build import ImageBuild
from orchestrator.engine.local_image import LocalImage
from orchestrator.engine.terminal import Input
from orchestrator.engine.user_change import UserChange
from orchestrator.host.output import LINE_BYTES

KILLED = 137
"""The exit code of a process that SIGKILL ended (128 and the signal's number)."""
LABEL_STACK = "changeover.stack"
LABEL_NAME = "changeover.name"
"""The name under which a container was created: it is found by this label, whatever it is called now."""
LABEL_APP = "changeover.app"
LABEL_COLOUR = "changeover.colour"
LABEL_DEPLOYMENT = "changeover.deployment"
LABEL_RELEASE = "changeover.release"
LABEL_SOURCE_REVISION = "changeover.revision"
LABEL_ROLE = "changeover.role"
LABEL_REQUESTED = "changeover.requested"
"""When its deployment was requested: in UTC, in ISO 8601."""
LABEL_NUMBER = "changeover.number"
"""The number of its deployment: its place in the order of requests."""
LABEL_ONE_OFF = "changeover.one-off"
"""Marks the container of a one-off command."""
LABEL_MIGRATED = "changeover.migrated"
"""The schema revisions that its deployment applied to the app's data, as JSON."""

MOST_PROCESSES = 1024
"""The default of ContainerSpec.pids."""


class Role(StrEnum):
    """The purpose of a container."""

    APP = "app"
    SIDECAR = "sidecar"


@dataclass(frozen=True)
class ContainerSpec:
    """The specification of a container. `address` is its fixed IPv4 address; empty: the engine chooses one.

    `owned` and `mounts` are pairs of a volume name or host folder and a path in the container; the container's user
    becomes the owner of those in `owned`. `read_only_mounts` are such pairs, too. `parts` are triples of a volume name
    or host folder, a folder in it, and a path in the container: only that folder is mounted. `files` are pairs of a
    path and a content, written before it starts; with `read_only` each must be in a mount.
    """

    name: str
    image: str
    labels: dict[str, str]
    network: str
    """Empty: it has no network, or that of `network_of`."""
    network_of: str = ""
    """The name of a container whose network it shares."""
    more_networks: tuple[str, ...] = ()
    """Networks that it joins in addition. They must exist."""
    extra_hosts: tuple[tuple[str, str], ...] = ()
    """Pairs of a host name that it can resolve, and an address or `host-gateway`, which is this host."""
    env: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] | None = None
    address: str = ""
    owned: tuple[tuple[str, str], ...] = ()
    mounts: tuple[tuple[str, str], ...] = ()
    read_only_mounts: tuple[tuple[str, str], ...] = ()
    parts: tuple[tuple[str, str, str], ...] = ()
    files: tuple[tuple[str, bytes], ...] = ()
    memory: str | None = None
    pids: int = MOST_PROCESSES
    """How many processes and threads it may have at once."""
    user: str | None = None
    privileges: bool = False
    """Whether it keeps the engine's default capabilities and the right to gain new privileges."""
    capabilities: tuple[str, ...] = ()
    """The Linux capabilities that it has without `privileges`, such as CHOWN."""
    read_only: bool = False
    """Whether it can write in its volumes and in /tmp only."""
    processes_of: str = ""
    """The container whose processes it sees, for a look from outside; empty: its own only."""
    stdin: Input = None
    """What a sidecar reads from its standard input."""
    existing: tuple[str, ...] = ()
    """The volumes that must exist: the engine makes those of the others that do not."""
    init: bool = False
    """Whether the engine's init is its process 1, and the command a child of it: as process 1, a command that ends
    itself by a signal, such as `kill -TERM $$`, goes on instead, and may end as if it had succeeded."""
    gives_way: bool = False
    """Whether it starts after the app's other sidecars, if they begin together, and has the lowest CPU priority after
    its first second: then it gets the processor time that other containers do not use."""


@dataclass(frozen=True)
class Placed:
    """Where a container is. `running` is true while it is paused, and false while the engine waits before it restarts
    it. `name` is the name under which it was created, by which every method finds it."""

    name: str
    labels: dict[str, str]
    running: bool
    paused: bool
    address: str


@dataclass(frozen=True)
class ContainerStatus(Placed):
    """The status of one container. `health` is that of Docker's HEALTHCHECK: healthy, unhealthy, starting or empty.

    `restarting`: the engine waits before it restarts it. `called` is its name now, for people.
    """

    id: str
    exit_code: int
    oom: bool
    restarts: int
    restarting: bool
    health: str
    health_log: tuple[str, ...]
    image: str
    called: str
    env: dict[str, str] = field(default_factory=dict, repr=False)
    """The environment variables that it was made with, secrets among them."""
    writable: tuple[tuple[str, str], ...] = ()
    """The volumes and folders of the host that it can write, each with its path in it."""

    @property
    def why_stopped(self) -> str:
        return ended_in_words(self.exit_code, oom=self.oom)


@dataclass(frozen=True)
class ContainerEvent:
    """An event of a container of this stack. `action` is Docker's name: start, or die (which has an `exit_code`)."""

    action: str
    app: str
    role: str
    container: str
    exit_code: int | None = None


OPENED = ContainerEvent("", "", "", "")
"""The stream of events is open."""


class Engine(Protocol):
    """A container engine, for the containers of one stack.

    Every method raises EngineError with the engine's error.
    """

    @property
    def stack(self) -> str:
        """The prefix of all names, and the value of the label `changeover.stack`."""

    @property
    def network(self) -> str:
        """The network that app containers are in."""

    async def version(self) -> str: ...

    async def wait_until_up(self, deadline_s: float) -> bool:
        """Wait until the engine answers; False if it does not within `deadline_s` seconds."""

    async def build(self, image: ImageBuild, on_line: Callable[[str], None]) -> str:
        """Build an image, and return its digest, `sha256:…`. Output lines go to `on_line`. Raises StepFailed."""

    async def start(self, spec: ContainerSpec) -> str:
        """Create and start a container, or start the existing one with the same name. Returns its id."""

    async def run_to_end(
        self, spec: ContainerSpec, timeout_s: float, on_line: Callable[[str], None], line_bytes: int = LINE_BYTES
    ) -> tuple[ContainerStatus, bool]:
        """Run a sidecar, wait for its end, and remove it. Calls `on_line` with each line of output.

        Returns its last status, and whether it was killed after `timeout_s` seconds.
        """

    async def remove_stray_sidecars(self, app: str) -> list[str]:
        """Remove the app's sidecars for which no `run_to_end` waits. Returns their names."""

    def sidecars_at_work(self) -> frozenset[str]:
        """Containers of all apps that are made for one job and are removed by themselves, when it has ended."""

    async def status(self, name: str) -> ContainerStatus | None:
        """The status of a container; None if it does not exist."""

    async def containers(self, app: str = "") -> list[ContainerStatus]:
        """Every container of the stack, or of one of its apps, running or not."""

    async def placed(self) -> list[Placed]:
        """Where every container of the stack is, running or not. One request to the engine, however many there are."""

    async def usage(self, name: str) -> ContainerUsage | None:
        """What a container uses now; None if it does not run. One request to the engine, of 1 to 5 ms."""

    async def logs(self, name: str, tail: int = 50) -> tuple[str, ...]:
        """The last `tail` lines of a container's log; empty if it does not exist."""

    async def log_part(self, name: str, wanted: LogRange, choose: Choose, most: int) -> LogPart:
        """The last `most` lines in this range that `choose` takes, in a thread; none of what does not exist."""

    def follow_logs(self, name: str, wanted: LogRange) -> AsyncGenerator[LogLine, None]:
        """The lines of a container's log in this range, then each line that it writes, until it ends."""

    async def execute(
        self,
        name: str,
        command: tuple[str, ...],
        env: dict[str, str],
        timeout_s: float,
        on_line: Callable[[str], None],
        stdin: Input = None,
    ) -> tuple[int, bool]:
        """Run a command inside a running container to its end. Calls `on_line` with each line of output.

        Returns its exit code, and whether it was killed after `timeout_s` seconds. A cancel kills it.
        """

    async def end_commands(self, name: str) -> None:
        """End in a running container whatever `execute` has begun, also by a process of ours that was killed."""

    def watch(self) -> AsyncIterator[ContainerEvent]:
        """OPENED, then the events of the stack's containers since. Raises EngineError when the stream ends."""

    async def stop(self, name: str, timeout_s: int) -> None:
        """Stop a container by SIGTERM, and by SIGKILL after `timeout_s` seconds; a paused one by SIGKILL at once."""

    async def wake(self, name: str, address: str = "") -> None:
        """Start or unpause a container, if it does not run, at this address of the stack's network, if one is given."""

    async def pause(self, name: str) -> None: ...
    async def unpause(self, identifier: str) -> None:
        """Unpause a container by its id, which `status` gives: without another look at it, for who is in a hurry."""

    async def signal(self, name: str, signal: str) -> None: ...

    async def keep_running(self, name: str) -> None:
        """Set the restart policy: the engine restarts the container when it ends or the host restarts."""

    async def let_end(self, name: str) -> None:
        """Remove the restart policy: a container that ends stays ended, also when the engine or the host restarts."""

    async def remove(self, name: str, stop_timeout_s: int = 0) -> bool:
        """Stop and remove a container; a paused one is ended by SIGKILL. Returns False if it does not exist."""

    async def free_address(self, taken: set[str]) -> str:
        """A free fixed address: not in `taken`, and not used by a container of the network."""

    async def remove_images(self, name: str, keep: set[str]) -> list[str]:
        """Remove every tag of `name`, except for images whose digest is in `keep`. Returns the removed tags."""

    async def prune_build_cache(self, keep_bytes: int) -> None: ...
    async def tagged_images(self, name: str) -> set[str]: ...
    async def ensure_volume(self, name: str) -> None: ...
    async def has_image(self, digest: str) -> bool: ...
    async def added_bytes(self, image: str, before: str) -> int | None:
        """The size of the layers of an image that another one has not; None if one of them does not exist."""

    async def find_image(self, name: str) -> LocalImage | None:
        """The image that the engine has by this name, or id; None if it has none."""

    async def tag_image(self, digest: str, tag: str) -> None:
        """Give an image that the engine has another tag."""

    async def has_volume(self, name: str) -> bool: ...
    async def check_user(self, spec: ContainerSpec) -> None:
        """Raises UserUnknown when the image has no such user or group. Nothing is started."""

    async def user_change(self, container: str, spec: ContainerSpec) -> UserChange | None:
        """How the users of this container and of one of the specification differ; None if they do not."""

    async def ensure_folders(self, volume: str, folders: tuple[str, ...], image: str) -> None:
        """Create folders in a volume, for root alone, if they do not exist. `image` is any image of the engine."""

    async def remove_volume(self, name: str) -> None: ...

    async def volumes(self) -> list[str]:
        """The names of the stack's volumes."""

    async def unused_anonymous_volumes(self) -> list[str]:
        """Volumes of the host without a name that no container uses. Nothing says who made them."""

    async def disk_usage(self) -> DiskUsage: ...
    async def keeps_containers_running(self) -> bool:
        """Whether containers keep running during a restart of the engine."""

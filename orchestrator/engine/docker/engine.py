"""The engine of one Docker host, by the Docker SDK.

The SDK blocks, so each call runs in a thread. Every method raises EngineError with Docker's error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable

import docker
from docker.models.containers import Container
from tenacity import AsyncRetrying, RetryError, retry_if_exception_type, stop_after_delay, wait_exponential

from border.secrets import Secrets
from orchestrator.domain.log_line import Choose, KeepLog, LogLine, LogPart, LogRange
from orchestrator.engine.base import (
    LABEL_APP,
    LABEL_STACK,
    ContainerEvent,
    ContainerSpec,
    ContainerStatus,
    Placed,
)
from orchestrator.engine.container_usage import ContainerUsage
from orchestrator.engine.disk_usage import DiskUsage
from orchestrator.engine.docker import container_usage, volumes
from orchestrator.engine.docker.addresses import AddressPool
from orchestrator.engine.docker.build_cache import BuildCache
from orchestrator.engine.docker.calls import Calls
from orchestrator.engine.docker.container_creation import create, image_exists, volume_exists
from orchestrator.engine.docker.container_status import placed, status_of
from orchestrator.engine.docker.disk_usage import usage_of
from orchestrator.engine.docker.event_watch import watch
from orchestrator.engine.docker.image_build import ImageBuilder
from orchestrator.engine.docker.image_layers import added_bytes
from orchestrator.engine.docker.image_tags import find_image, remove_tags, tagged
from orchestrator.engine.docker.live_output import Execution, end_commands, follow_log, to_the_end
from orchestrator.engine.docker.log import last_lines, read_part
from orchestrator.engine.docker.log_of_removed import keep_log
from orchestrator.engine.docker.lookup import end, find, must_find, remove, set_restart_policy, start, wake
from orchestrator.engine.docker.sidecars import Sidecars, told_to
from orchestrator.engine.docker.user_change import check_user, user_change
from orchestrator.engine.image_build import ImageBuild
from orchestrator.engine.local_image import LocalImage
from orchestrator.engine.terminal import Input
from orchestrator.engine.user_change import UserChange
from orchestrator.errors import EngineError
from orchestrator.host.output import LINE_BYTES, Output
from orchestrator.host.uninterrupted import unless_cancelled

Act = Callable[[docker.DockerClient, Container], object]


class DockerEngine(Calls):
    """Implements Engine for the containers of one stack. Output is given without control characters and secrets."""

    def __init__(
        self, stack: str, network: str, known_secrets: Secrets | None = None, keep_log: KeepLog | None = None
    ) -> None:
        """`keep_log` gets the log of each app container that is removed, in a thread."""
        super().__init__()
        self._known_secrets = known_secrets or Secrets()
        self._keep_log = keep_log
        self.stack = stack
        self.network = network
        self._addresses = AddressPool(network)
        self._builder = ImageBuilder(self._known_secrets)
        self._build_cache = BuildCache()
        self._sidecars = Sidecars(stack, self._call, self._call_alone, self._known_secrets)

    async def version(self) -> str:
        return await self._call(lambda client: str(client.version()["Version"]))

    async def wait_until_up(self, deadline_s: float) -> bool:
        try:
            async for attempt in AsyncRetrying(
                retry=retry_if_exception_type(EngineError),
                stop=stop_after_delay(deadline_s),
                wait=wait_exponential(multiplier=0.1, max=1.0),
            ):
                with attempt:
                    await self.version()
        except RetryError:
            return False
        return True

    async def free_address(self, taken: set[str]) -> str:
        return await self._call(lambda client: self._addresses.take(client, taken))

    async def ensure_volume(self, name: str) -> None:
        await self._call(lambda client: volumes.ensure(client, name, self.stack))

    async def ensure_folders(self, volume: str, folders: tuple[str, ...], image: str) -> None:
        await self._sidecars.ensure_folders(volume, folders, image)

    async def has_image(self, digest: str) -> bool:
        return await self._call(lambda client: image_exists(client, digest))

    async def added_bytes(self, image: str, before: str) -> int | None:
        return await self._call(lambda client: added_bytes(client, image, before))

    async def find_image(self, name: str) -> LocalImage | None:
        return await self._call(lambda client: find_image(client, name))

    async def tag_image(self, digest: str, tag: str) -> None:
        await self._call(lambda client: client.api.tag(digest, tag.rpartition(":")[0], tag.rpartition(":")[2]))

    async def has_volume(self, name: str) -> bool:
        return await self._call(lambda client: volume_exists(client, name))

    async def check_user(self, spec: ContainerSpec) -> None:
        await self._call(lambda client: check_user(client, spec, self.stack))

    async def user_change(self, container: str, spec: ContainerSpec) -> UserChange | None:
        return await self._call(lambda client: user_change(client, container, spec, self.stack))

    async def start(self, spec: ContainerSpec) -> str:
        def create_and_start(client: docker.DockerClient) -> str:
            container = find(client, spec.name, self.stack)
            if container is not None and container.status == "created":
                # Its creation may have been interrupted before its files and its volume's owner were set.
                remove(client, spec.name, self.stack)
                container = None
            container = container or create(client, spec, self.stack)
            start(client, container, self.network)
            self._addresses.used(spec.address)
            return str(container.id)

        return await self._call(create_and_start)

    async def run_to_end(
        self, spec: ContainerSpec, timeout_s: float, on_line: Callable[[str], None], line_bytes: int = LINE_BYTES
    ) -> tuple[ContainerStatus, bool]:
        return await self._sidecars.run_to_end(spec, timeout_s, on_line, line_bytes)

    async def remove_stray_sidecars(self, app: str) -> list[str]:
        return await self._sidecars.remove_strays(app)

    def sidecars_at_work(self) -> frozenset[str]:
        return self._sidecars.at_work

    async def build(self, image: ImageBuild, on_line: Callable[[str], None]) -> str:
        """Build an image with BuildKit. Returns its digest, `sha256:…`. Raises StepFailed with the last lines."""
        return await self._builder.build(image, on_line)

    def watch(self) -> AsyncIterator[ContainerEvent]:
        return watch(self.stack)

    async def status(self, name: str) -> ContainerStatus | None:
        def status(client: docker.DockerClient) -> ContainerStatus | None:
            container = find(client, name, self.stack)
            return status_of(container, self.network) if container else None

        return await self._call(status)

    async def containers(self, app: str = "") -> list[ContainerStatus]:
        def all_of_them(client: docker.DockerClient) -> list[ContainerStatus]:
            labels = [f"{LABEL_STACK}={self.stack}", *([f"{LABEL_APP}={app}"] if app else [])]
            found = client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
            return [status_of(container, self.network) for container in found]

        return await self._call(all_of_them)

    async def placed(self) -> list[Placed]:
        return await self._call(lambda client: placed(client, self.stack, self.network))

    async def usage(self, name: str) -> ContainerUsage | None:
        return await self._call(lambda client: container_usage.usage_of(client, name))

    async def logs(self, name: str, tail: int = 50) -> tuple[str, ...]:
        def logs(client: docker.DockerClient) -> tuple[str, ...]:
            container = find(client, name, self.stack)
            return last_lines(container, tail, self._known_secrets) if container else ()

        return await self._call(logs, self._long_calls)

    async def log_part(self, name: str, wanted: LogRange, choose: Choose, most: int) -> LogPart:
        def part(client: docker.DockerClient) -> LogPart:
            container = find(client, name, self.stack)
            return read_part(container, wanted, self._known_secrets, choose, most) if container else LogPart()

        return await self._call(part, self._long_calls)

    def follow_logs(self, name: str, wanted: LogRange) -> AsyncGenerator[LogLine, None]:
        return follow_log(name, self.stack, wanted, self._known_secrets)

    async def execute(
        self,
        name: str,
        command: tuple[str, ...],
        env: dict[str, str],
        timeout_s: float,
        on_line: Callable[[str], None],
        stdin: Input = None,
    ) -> tuple[int, bool]:
        output = Output(told_to(on_line, asyncio.get_running_loop()), known_secrets=self._known_secrets)
        found = await self._call(lambda client: must_find(client, name, self.stack))
        return await to_the_end(Execution(found, command, env, output, stdin), timeout_s, self._call_alone)

    async def end_commands(self, name: str) -> None:
        await self._on(name, end_commands)

    async def stop(self, name: str, timeout_s: int) -> None:
        """Stop a container by SIGTERM, and by SIGKILL after `timeout_s` seconds. A paused one is ended by SIGKILL."""
        await self._call(self._acting(name, lambda _client, container: end(container, timeout_s)), self._ends)

    async def keep_running(self, name: str) -> None:
        await self._on(name, lambda container: set_restart_policy(container, "unless-stopped"))

    async def let_end(self, name: str) -> None:
        """Remove the restart policy: a container that ends stays ended."""
        await self._on(name, lambda container: set_restart_policy(container, "no"))

    async def pause(self, name: str) -> None:
        await self._on(name, lambda container: container.pause() if container.status == "running" else None)

    async def unpause(self, identifier: str) -> None:
        """Unpause a container by its id. One request."""
        await self._call(lambda client: client.api.unpause(identifier))

    async def wake(self, name: str, address: str = "") -> None:
        await self._call(self._acting(name, lambda client, one: wake(client, one, self.network, address)))

    async def signal(self, name: str, signal: str) -> None:
        await self._on(name, lambda container: container.kill(signal=signal) if container.status == "running" else None)

    async def remove(self, name: str, stop_timeout_s: int = 0) -> bool:
        """Stop and remove a container. Returns False if it does not exist."""

        def stop_and_remove(client: docker.DockerClient) -> bool:
            container = find(client, name, self.stack)
            if container is None:
                return False
            if stop_timeout_s:
                end(container, stop_timeout_s)
            if self._keep_log:
                keep_log(container, self._known_secrets, self._keep_log)
            remove(client, name, self.stack)
            return True

        return await self._call(stop_and_remove, self._ends if stop_timeout_s else None)

    async def remove_images(self, name: str, keep: set[str]) -> list[str]:
        return await remove_tags(lambda ask: self._call(ask, self._long_calls), name, keep)

    async def tagged_images(self, name: str) -> set[str]:
        return await self._call(lambda client: tagged(client, name), self._long_calls)

    async def prune_build_cache(self, keep_bytes: int) -> None:
        """As BuildCache.reduce. Whoever cancels this, such as a rollback, does not wait for BuildKit."""
        call = self._long_calls.submit(self._ask, lambda client: self._build_cache.reduce(client, keep_bytes))
        await unless_cancelled(call, "BuildKit's cache not reduced")

    async def remove_volume(self, name: str) -> None:
        await self._call(lambda client: volumes.remove(client, name))

    async def volumes(self) -> list[str]:
        return await self._volumes({"label": f"{LABEL_STACK}={self.stack}"})

    async def unused_anonymous_volumes(self) -> list[str]:
        return await self._volumes({"label": "com.docker.volume.anonymous", "dangling": "true"})

    async def _volumes(self, filters: dict[str, str]) -> list[str]:
        return await self._call(lambda client: [str(one.name) for one in client.volumes.list(filters=filters)])

    async def disk_usage(self) -> DiskUsage:
        return await self._call(lambda client: usage_of(client.df()), self._long_calls)

    async def keeps_containers_running(self) -> bool:
        """As in Engine: `live-restore` in Docker's daemon.json."""
        return await self._call(lambda client: bool(client.info().get("LiveRestoreEnabled")))

    async def _on(self, name: str, act: Callable[[Container], object]) -> None:
        await self._call(self._acting(name, lambda _client, container: act(container)))

    def _acting(self, name: str, act: Act) -> Callable[[docker.DockerClient], None]:
        def acting(client: docker.DockerClient) -> None:
            act(client, must_find(client, name, self.stack))

        return acting

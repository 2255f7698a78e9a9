"""Sidecars: short-lived containers that do one job on an app's data and exit."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Protocol, TypeVar

import docker
from docker.errors import APIError
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential

from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, LABEL_STACK, ContainerSpec, ContainerStatus, Role
from orchestrator.engine.docker.container_creation import create
from orchestrator.engine.docker.container_status import status_of
from orchestrator.engine.docker.lookup import remove
from orchestrator.errors import EngineError

T = TypeVar("T")


class Call(Protocol):
    """Calls Docker in a thread. Raises EngineError with Docker's error."""

    def __call__(self, ask: Callable[[docker.DockerClient], T], /) -> Awaitable[T]: ...


class Sidecars:
    """Runs the sidecars of one stack, and removes those for which no call waits."""

    def __init__(self, stack: str, call: Call) -> None:
        self._stack = stack
        self._call = call
        self._awaited: set[str] = set()
        self._removals: set[asyncio.Task[None]] = set()

    async def run_to_end(
        self, spec: ContainerSpec, timeout_s: float, on_line: Callable[[str], None]
    ) -> tuple[ContainerStatus, bool]:
        """Run a sidecar, wait for its end, and remove it. Calls `on_line` with each line of output.

        Returns its last status, and whether it was killed after `timeout_s` seconds.
        """
        loop = asyncio.get_running_loop()
        self._awaited.add(spec.name)

        def run(client: docker.DockerClient) -> tuple[ContainerStatus, bool]:
            remove(client, spec.name)
            container = create(client, spec, self._stack)
            late = threading.Event()

            def kill() -> None:
                late.set()
                with suppress(APIError):  # it may end at the same time
                    container.kill()

            deadline = threading.Timer(timeout_s, kill)
            try:
                container.start()
                deadline.start()
                for line in whole_lines(container.logs(stream=True, follow=True)):
                    loop.call_soon_threadsafe(on_line, line)
                container.wait()
                container.reload()
                return status_of(container), late.is_set()
            finally:
                deadline.cancel()
                remove(client, spec.name)

        try:
            return await self._call(run)
        except asyncio.CancelledError:
            # The thread continues; it ends when its container is removed.
            await self._remove(spec.name)
            raise
        except EngineError:
            removal = asyncio.create_task(self._remove_when_back(spec.name))
            self._removals.add(removal)
            removal.add_done_callback(self._removals.discard)
            raise
        finally:
            self._awaited.discard(spec.name)

    async def remove_strays(self, app: str) -> list[str]:
        """Remove the app's sidecars for which no call waits. Returns their names."""

        def remove_them(client: docker.DockerClient) -> list[str]:
            labels = [f"{LABEL_STACK}={self._stack}", f"{LABEL_APP}={app}", f"{LABEL_ROLE}={Role.SIDECAR}"]
            found = client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
            strays = [str(one.name) for one in found if one.name not in self._awaited]
            for name in strays:
                remove(client, name)
            return strays

        return await self._call(remove_them)

    async def _remove_when_back(self, name: str) -> None:
        """Remove a sidecar as soon as the engine answers again."""
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(EngineError), wait=wait_exponential(multiplier=0.5, max=30)
        ):
            with attempt:
                # If a sidecar of this name runs again meanwhile, its start has removed the old one.
                if name not in self._awaited:
                    await self._remove(name)

    async def _remove(self, name: str) -> None:
        await self._call(lambda client: remove(client, name))


def whole_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Joins chunks of output to lines."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace").rstrip("\r") for line in lines)
    if rest:
        yield rest.decode(errors="replace")

"""Sidecars: short-lived containers that do one job on an app's data and exit."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

import docker
import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential

from border.secrets import Secrets
from orchestrator.domain.heard_lines import must_be_heard
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, LABEL_STACK, ContainerSpec, ContainerStatus, Role
from orchestrator.engine.docker.container_creation import ensure_folders
from orchestrator.engine.docker.lookup import name_of, remove
from orchestrator.engine.docker.sidecar_run import Run
from orchestrator.engine.terminal import let_go
from orchestrator.errors import EngineError
from orchestrator.host.output import Output
from orchestrator.host.uninterrupted import in_spite_of_cancels

log = structlog.get_logger()

T = TypeVar("T")
END_POLL_S = 0.2


class Call(Protocol):
    """Calls Docker in a thread. Raises EngineError with Docker's error."""

    def __call__(self, ask: Callable[[docker.DockerClient], T], /) -> Awaitable[T]: ...


class Sidecars:
    """Runs the sidecars of one stack, and removes those for which no call waits.

    `short` runs a short call in a thread of the pool; `alone` runs a call in a thread of its own, because waiting for
    a sidecar must not keep short calls waiting. When the calling task is cancelled, the sidecar is removed before the
    cancel continues, at any point between its creation and its end; by an engine that is away, as soon as it is back.
    """

    def __init__(self, stack: str, short: Call, alone: Call, known_secrets: Secrets) -> None:
        self._stack = stack
        self._short = short
        self._alone = alone
        self._known_secrets = known_secrets
        self._awaited: set[str] = set()
        self._under_way: set[Run] = set()
        self._to_be_removed: set[str] = set()
        self._removals: set[asyncio.Task[None]] = set()

    async def run_to_end(
        self, spec: ContainerSpec, timeout_s: float, on_line: Callable[[str], None], line_bytes: int
    ) -> tuple[ContainerStatus, bool]:
        """Run a sidecar, wait for its end, and remove it. Calls `on_line` with each line of output.

        Returns its last status, and whether it was killed after `timeout_s` seconds.
        """
        self._awaited.add(spec.name)
        stopped = threading.Event()
        output = Output(told_to(on_line, asyncio.get_running_loop()), must_be_heard, line_bytes, self._known_secrets)
        run = Run(spec, self._stack, timeout_s, output, stopped, lets_start=self._first(spec))
        work = asyncio.ensure_future(self._alone(run))
        self._under_way.add(run)
        work.add_done_callback(lambda _: self._is_over(run))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stopped.set()
            let_go(spec.stdin)
            if not await in_spite_of_cancels(self._end(spec.name, work)):
                self._remove_later(spec.name)
            raise
        except EngineError:
            self._remove_later(spec.name)
            raise
        finally:
            self._awaited.discard(spec.name)

    def _first(self, spec: ContainerSpec) -> tuple[threading.Event, ...]:
        """Whose start one that gives way waits for: those that are under way for the same app, and do not give way."""
        if not spec.gives_way:
            return ()
        app = spec.labels.get(LABEL_APP)
        others = (one for one in self._under_way if one.spec.labels.get(LABEL_APP) == app and not one.spec.gives_way)
        return tuple(one.begun for one in others)

    def _is_over(self, run: Run) -> None:
        run.begun.set()
        self._under_way.discard(run)

    async def ensure_folders(self, volume: str, folders: tuple[str, ...], image: str) -> None:
        """Create folders in a volume. If the engine ends meanwhile, the container is removed when it is back."""
        name = f"{self._stack}-folder-{secrets.token_hex(4)}"
        self._awaited.add(name)
        try:
            await self._short(lambda client: ensure_folders(client, self._stack, name, volume, folders, image))
        except EngineError:
            self._remove_later(name)
            raise
        finally:
            self._awaited.discard(name)

    @property
    def at_work(self) -> frozenset[str]:
        """The containers for which a call waits, and those that are removed as soon as the engine answers again."""
        return frozenset(self._awaited | self._to_be_removed)

    async def _end(self, name: str, work: asyncio.Future[tuple[ContainerStatus, bool]]) -> bool:
        """Remove the container until the thread that runs it has ended. False if it may be there: a removed sidecar
        ends with an error, and so does one whose engine is away."""
        while not work.done():
            try:
                await self._remove(name)
            except EngineError as error:
                log.warning("sidecar not removed yet", container=name, cause=error.cause)
            await asyncio.wait([work], timeout=END_POLL_S)
        return work.cancelled() or not isinstance(work.exception(), EngineError)

    def _remove_later(self, name: str) -> None:
        removal = asyncio.create_task(self._remove_when_back(name))
        self._to_be_removed.add(name)
        self._removals.add(removal)
        removal.add_done_callback(self._removals.discard)
        removal.add_done_callback(lambda _: self._to_be_removed.discard(name))

    async def remove_strays(self, app: str) -> list[str]:
        """Remove the app's sidecars for which no call waits. Returns their names."""

        def remove_them(client: docker.DockerClient) -> list[str]:
            labels = [f"{LABEL_STACK}={self._stack}", f"{LABEL_APP}={app}", f"{LABEL_ROLE}={Role.SIDECAR}"]
            found = client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
            strays = [name for one in found if (name := name_of(one)) not in self._awaited]
            for name in strays:
                remove(client, name, self._stack)
            return strays

        return await self._short(remove_them)

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
        await self._short(lambda client: remove(client, name, self._stack))


def told_to(on_line: Callable[[str], None], loop: asyncio.AbstractEventLoop) -> Callable[[str], None]:
    """Calls `on_line` on the event loop, from any thread."""

    def tell(line: str) -> None:
        loop.call_soon_threadsafe(on_line, line)

    return tell

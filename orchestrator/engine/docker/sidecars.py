"""Sidecars: short-lived containers that do one job on an app's data and exit."""

from __future__ import annotations

import asyncio
import secrets
import threading
from collections.abc import Awaitable, Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import docker
import structlog
from docker.errors import APIError
from docker.models.containers import Container
from requests.exceptions import RequestException
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential
from urllib3.exceptions import ProtocolError

from border.secrets import Secrets
from orchestrator.domain.schema_report import is_report
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, LABEL_STACK, ContainerSpec, ContainerStatus, Role
from orchestrator.engine.docker.container_creation import create, ensure_folders
from orchestrator.engine.docker.container_status import status_of
from orchestrator.engine.docker.init import InitsWord
from orchestrator.engine.docker.lookup import name_of, remove
from orchestrator.engine.docker.refusals import refused_by
from orchestrator.engine.docker.standard_input import fed
from orchestrator.engine.docker.upgraded import STDERR, Upgraded, broken_off
from orchestrator.engine.docker.window import Window
from orchestrator.engine.terminal import Pipe, Size, Terminal, content_of, let_go
from orchestrator.errors import EngineError
from orchestrator.host.output import Output
from orchestrator.host.uninterrupted import in_spite_of_cancels

log = structlog.get_logger()

T = TypeVar("T")
END_POLL_S = 0.2
KILL_AGAIN_S = 1.0
NEVER = "0001-01-01T00:00:00Z"
"""`State.StartedAt` of a container that was created and never started (Docker Engine API, "Inspect a container")."""
OUTPUT_WITHIN_S = 10.0
"""How long the output of a sidecar that was killed is read, in seconds."""


class Call(Protocol):
    """Calls Docker in a thread. Raises EngineError with Docker's error."""

    def __call__(self, ask: Callable[[docker.DockerClient], T], /) -> Awaitable[T]: ...


class Sidecars:
    """Runs the sidecars of one stack, and removes those for which no call waits.

    `short` runs a short call in a thread of the pool; `alone` runs a call in a thread of its own, because waiting for
    a sidecar must not keep short calls waiting. When the calling task is cancelled, the sidecar is removed before the
    cancel continues, at any point between its creation and its end.
    """

    def __init__(self, stack: str, short: Call, alone: Call, known_secrets: Secrets) -> None:
        self._stack = stack
        self._short = short
        self._alone = alone
        self._known_secrets = known_secrets
        self._awaited: set[str] = set()
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
        output = Output(told_to(on_line, asyncio.get_running_loop()), is_report, line_bytes, self._known_secrets)
        run = Run(spec, self._stack, timeout_s, output, stopped)
        work = asyncio.ensure_future(self._alone(run))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            stopped.set()
            let_go(spec.stdin)
            await in_spite_of_cancels(self._end(spec.name, work))
            raise
        except EngineError:
            self._remove_later(spec.name)
            raise
        finally:
            self._awaited.discard(spec.name)

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

    async def _end(self, name: str, work: asyncio.Future[tuple[ContainerStatus, bool]]) -> None:
        """Remove the container until the thread that runs it has ended."""
        while not work.done():
            try:
                await self._remove(name)
            except EngineError as error:
                log.warning("sidecar not removed yet", container=name, cause=error.cause)
            await asyncio.wait([work], timeout=END_POLL_S)
        if not work.cancelled():
            work.exception()  # retrieved: a removed sidecar ends with an error

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


@dataclass(frozen=True)
class Run:
    """One sidecar from its creation to its removal, inside a thread.

    Its output is read for `output_within_s` seconds more after it was killed.
    """

    spec: ContainerSpec
    stack: str
    timeout_s: float
    output: Output
    stopped: threading.Event
    output_within_s: float = OUTPUT_WITHIN_S

    def __call__(self, client: docker.DockerClient) -> tuple[ContainerStatus, bool]:
        container = self._created(client)
        late = threading.Event()
        end_of_output = threading.Event()

        def kill() -> None:
            late.set()
            while not _is_killed(container) and not end_of_output.wait(KILL_AGAIN_S):
                log.warning("sidecar not killed yet", container=self.spec.name)
            # Docker goes on to send what it has of the output, for minutes if that is 100 MB.
            if not end_of_output.wait(self.output_within_s):
                let_go(self.spec.stdin)
                stop_reading()

        connections = ExitStack()
        first = InitsWord(self.spec.stdin.show if isinstance(self.spec.stdin, Terminal) else self.output.feed)
        if not self.spec.init:
            first.let_pass()
        deadline = threading.Timer(self.timeout_s, kill)
        try:
            attached = self._attached(container, connections)
            window = self._window(container)
            if not self.stopped.is_set():
                _start(container)
            # Any: docker-py's stream has no stub
            printed: Any = window or (None if attached else container.logs(stream=True, follow=True))
            stop_reading = attached.end if attached else printed.close
            if not self.stopped.is_set():
                deadline.start()
            try:
                if attached:
                    self._pass_on(attached, first)
                else:
                    for chunk in printed:
                        first.feed(chunk)
            except (OSError, ProtocolError) as error:
                first.let_pass()
                # Closed, when its time is over. Who counts on all bytes must hear that the rest is missing.
                if attached and not late.is_set():
                    raise broken_off(error) from error
            end_of_output.set()
            container.wait()
            container.reload()
            status = status_of(container, self.spec.network)
            if why := first.refusal(str(container.attrs.get("Path", "")), status.exit_code):
                raise why
            return status, late.is_set()
        finally:
            connections.close()
            self.output.close()
            deadline.cancel()
            end_of_output.set()
            remove(client, self.spec.name, self.stack)

    def _created(self, client: docker.DockerClient) -> Container:
        try:
            return create(client, self.spec, self.stack)
        except APIError as error:
            raise _never_began(refused_by(error)) from error
        except EngineError as error:
            raise _never_began(error) from error.__cause__

    def _attached(self, container: Container, connections: ExitStack) -> Upgraded | None:
        """Its output, byte for byte, if a Pipe takes it. Its input is written meanwhile."""
        pipe, content = isinstance(self.spec.stdin, Pipe), content_of(self.spec.stdin)
        if not pipe and content is None:
            return None
        # Before it starts: its input ends with the first connection to it, and nothing that it prints is missed.
        wanted = ({"stdin": 1} if content is not None else {}) | ({"stdout": 1, "stderr": 1} if pipe else {})
        connection = Upgraded(container.attach_socket(params=wanted | {"stream": 1}))
        connections.enter_context(closing(connection) if content is None else fed(connection, content))
        return connection if pipe else None

    def _pass_on(self, connection: Upgraded, first: InitsWord) -> None:
        """The container's log is not read for it: Docker writes lines there, and drops the oldest ones."""
        for stream, chunk in connection.frames():
            if stream == STDERR or not isinstance(self.spec.stdin, Pipe):
                first.feed(chunk)
            else:
                first.let_pass()
                self.spec.stdin.show(chunk)

    def _window(self, container: Container) -> Window | None:
        """Attached before it starts, so that nothing that it shows is missed."""
        if not isinstance(self.spec.stdin, Terminal):
            return None

        def resize(size: Size) -> None:
            container.resize(height=size.rows, width=size.columns)

        everything = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        return Window(Upgraded(container.attach_socket(params=everything)), self.spec.stdin, resize)


def _start(container: Container) -> None:
    """Raises EngineError, with `never_began` if Docker has never started it."""
    try:
        container.start()
    except APIError as error:
        why = refused_by(error)
        container.reload()
        raise (_never_began(why) if container.attrs["State"].get("StartedAt") == NEVER else why) from error


def _never_began(error: EngineError) -> EngineError:
    error.never_began = True
    return error


def _is_killed(container: Container) -> bool:
    """False if Docker has not done it: then it may run on."""
    try:
        container.kill()
    except APIError as error:
        return error.status_code in (404, 409)  # it ended in the same moment
    except RequestException:
        return False
    return True


def told_to(on_line: Callable[[str], None], loop: asyncio.AbstractEventLoop) -> Callable[[str], None]:
    """Calls `on_line` on the event loop, from any thread."""

    def tell(line: str) -> None:
        loop.call_soon_threadsafe(on_line, line)

    return tell

"""One sidecar, from its creation to its removal."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import docker
import structlog
from docker.errors import APIError
from docker.models.containers import Container
from requests.exceptions import RequestException
from urllib3.exceptions import ProtocolError

from orchestrator.engine.base import ContainerSpec, ContainerStatus
from orchestrator.engine.docker.container_creation import create
from orchestrator.engine.docker.container_status import status_of
from orchestrator.engine.docker.init import InitsWord
from orchestrator.engine.docker.lookup import remove
from orchestrator.engine.docker.refusals import refused_by
from orchestrator.engine.docker.standard_input import fed
from orchestrator.engine.docker.upgraded import STDERR, Upgraded, broken_off
from orchestrator.engine.docker.window import Window
from orchestrator.engine.terminal import Pipe, Size, Terminal, content_of, let_go
from orchestrator.errors import EngineError
from orchestrator.host.output import Output

log = structlog.get_logger()

KILL_AGAIN_S = 1.0
NEVER = "0001-01-01T00:00:00Z"
"""`State.StartedAt` of a container that was created and never started (Docker Engine API, "Inspect a container")."""
LEAST_SHARE = 2
"""The lowest value of cpu_shares. The default is 1024."""
BEGINS_WITHIN_S = 1.0
"""How long a sidecar that gives way has its usual priority: with the lowest one, its own start, and the start of its
Python, wait for every other container, and so does who waits for a backup that is made in a moment."""
OUTPUT_WITHIN_S = 10.0
"""How long the output of a sidecar that was killed is read, in seconds."""


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
    begins_within_s: float = BEGINS_WITHIN_S

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
        giving_way = threading.Timer(self.begins_within_s, _give_way, [container])
        try:
            attached = self._attached(container, connections)
            window = self._window(container)
            if not self.stopped.is_set():
                _start(container)
                if self.spec.gives_way:
                    giving_way.start()
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
            giving_way.cancel()
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


def _give_way(container: Container) -> None:
    try:
        container.update(cpu_shares=LEAST_SHARE)
    except (APIError, RequestException) as error:
        log.info("a sidecar keeps its usual priority, or has ended", container=container.name, cause=str(error))


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

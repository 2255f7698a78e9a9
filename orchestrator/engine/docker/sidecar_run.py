"""One sidecar, from its creation to its removal."""

from __future__ import annotations

import threading
from contextlib import ExitStack, closing
from dataclasses import dataclass, field

import docker
import structlog
from docker.errors import APIError
from docker.models.containers import Container
from requests.exceptions import RequestException
from urllib3.exceptions import ProtocolError

from orchestrator.engine.base import ContainerSpec, ContainerStatus
from orchestrator.engine.docker.container_creation import create
from orchestrator.engine.docker.container_status import status_of
from orchestrator.engine.docker.exit_watch import ExitWatch
from orchestrator.engine.docker.init import InitsWord
from orchestrator.engine.docker.lookup import remove_found
from orchestrator.engine.docker.refusals import refused_by
from orchestrator.engine.docker.standard_input import fed
from orchestrator.engine.docker.upgraded import STDERR, Upgraded, broken_off
from orchestrator.engine.docker.window import Window
from orchestrator.engine.terminal import Pipe, Size, Terminal, content_of, has_input, let_go
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
LOOK_EACH_S = 0.05
"""How often a sidecar that waits for the start of others looks whether it is stopped."""
OUTPUT_WITHIN_S = 10.0
"""How long the output of a sidecar that was killed is read, in seconds."""


@dataclass(frozen=True, eq=False)
class Run:
    """One sidecar from its creation to its removal, inside a thread.

    Its output is read for `output_within_s` seconds more after it was killed. It is created after those of `lets_start`
    have begun, and sets `begun` when Docker has started it.
    """

    spec: ContainerSpec
    stack: str
    timeout_s: float
    output: Output
    stopped: threading.Event
    begun: threading.Event = field(default_factory=threading.Event)
    lets_start: tuple[threading.Event, ...] = ()
    output_within_s: float = OUTPUT_WITHIN_S
    begins_within_s: float = BEGINS_WITHIN_S

    def __call__(self, client: docker.DockerClient) -> tuple[ContainerStatus, bool]:
        self._let_others_start()
        container = self._created(client)
        late = threading.Event()
        end_of_output = threading.Event()
        # Later, where it closes its output and works on.
        ended = threading.Event()

        def kill() -> None:
            late.set()
            while not _is_killed(container) and not ended.wait(KILL_AGAIN_S):
                log.warning("sidecar not killed yet", container=self.spec.name)
            # What holds the output open need not be the process that was killed.
            if not end_of_output.wait(self.output_within_s):
                let_go(self.spec.stdin)
                printed.end()

        connections = ExitStack()
        first = InitsWord(self._shown)
        if not self.spec.init:
            first.let_pass()
        deadline = threading.Timer(self.timeout_s, kill)
        giving_way = threading.Timer(self.begins_within_s, _give_way, [container])
        broke_off: EngineError | None = None
        try:
            printed = self._attached(container, connections)
            exit_watch = connections.enter_context(closing(ExitWatch(container)))
            if not self.stopped.is_set():
                _start(container)
                self.begun.set()
                if self.spec.gives_way:
                    giving_way.start()
                deadline.start()
                try:
                    self._pass_on(container, printed, first)
                except (OSError, ProtocolError) as error:
                    first.let_pass()
                    # Closed, when its time is over.
                    broke_off = None if late.is_set() else broken_off(error)
                end_of_output.set()
                exit_watch.wait()
            container.reload()
            status = status_of(container, self.spec.network)
            if why := first.refusal(str(container.attrs.get("Path", "")), status.exit_code):
                raise why
            if broke_off and not status.exit_code:
                # Who counts on all that it printed must hear that the rest is missing.
                raise broke_off from broke_off.__cause__
            return status, late.is_set()
        finally:
            connections.close()
            self.output.close()
            deadline.cancel()
            giving_way.cancel()
            end_of_output.set()
            ended.set()
            remove_found(container)

    def _created(self, client: docker.DockerClient) -> Container:
        try:
            return create(client, self.spec, self.stack)
        except APIError as error:
            raise _never_began(refused_by(error)) from error
        except EngineError as error:
            raise _never_began(error) from error.__cause__

    def _let_others_start(self) -> None:
        """Docker starts two containers at once hardly sooner than one after the other, and both of them late."""
        for other in self.lets_start:
            while not other.wait(LOOK_EACH_S) and not self.stopped.is_set():
                pass

    def _attached(self, container: Container, connections: ExitStack) -> Upgraded:
        """Its output, byte for byte. Input that is known before is written meanwhile.

        Not by way of its log: Docker drops the oldest lines there, and all lines while the disk is full, and a command
        that reports nothing because nothing is to be done looks the same.
        """
        content = content_of(self.spec.stdin)
        # Before it starts: its input ends with the first connection to it, and nothing that it prints is missed.
        wanted = {"stdin": 1} if has_input(self.spec.stdin) else {}
        connection = Upgraded(container.attach_socket(params=wanted | {"stdout": 1, "stderr": 1, "stream": 1}))
        connections.enter_context(closing(connection) if content is None else fed(connection, content))
        return connection

    def _pass_on(self, container: Container, connection: Upgraded, first: InitsWord) -> None:
        if isinstance(self.spec.stdin, Terminal):
            for chunk in Window(connection, self.spec.stdin, lambda size: _resize(container, size)):
                first.feed(chunk)
            return
        for stream, chunk in connection.frames():
            if stream == STDERR:
                first.feed(chunk)
                continue
            first.let_pass()
            if isinstance(self.spec.stdin, Pipe):
                self.spec.stdin.show(chunk)
            else:
                self.output.feed(chunk, stream)

    def _shown(self, chunk: bytes) -> None:
        """What the terminal shows; without one, standard error."""
        if isinstance(self.spec.stdin, Terminal):
            self.spec.stdin.show(chunk)
        else:
            self.output.feed(chunk, STDERR)


def _resize(container: Container, size: Size) -> None:
    container.resize(height=size.rows, width=size.columns)


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

"""Output of containers while it is written: Docker's blocking streams, read by threads of their own."""

from __future__ import annotations

import asyncio
import re
import secrets
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import docker
from docker.errors import APIError, DockerException
from requests.exceptions import RequestException

from border.secrets import Secrets
from orchestrator.domain.log_line import LogLine, LogRange
from orchestrator.engine.base import KILLED
from orchestrator.engine.docker.log_frames import LogFrames
from orchestrator.engine.docker.lookup import find
from orchestrator.engine.docker.refusals import NOT_EXECUTABLE, NOT_FOUND, not_started
from orchestrator.engine.docker.sidecars import END_POLL_S, Call
from orchestrator.engine.docker.standard_input import fed
from orchestrator.engine.docker.timed_lines import TimedLines
from orchestrator.engine.docker.upgraded import STDERR, STDOUT, Upgraded, broken_off
from orchestrator.engine.docker.window import Window
from orchestrator.engine.terminal import Input, Pipe, Size, Terminal, content_of, has_input, let_go
from orchestrator.errors import EngineError
from orchestrator.host.handover import Handover
from orchestrator.host.output import Output
from orchestrator.host.uninterrupted import in_spite_of_cancels

ENDS_WITHIN_S = 5.0
"""Docker tells the exit code so many seconds after the end of the output at the latest."""
MOST_WAITING = 1000
"""So many lines wait for a slow reader; then the thread waits, and Docker with it."""


def _client() -> Any:  # Any: docker-py's client, as far as it has no stubs
    # No time limit: there may be no line for hours. The stub does not have None.
    return docker.from_env(timeout=None)  # type: ignore[arg-type]


async def follow_log(
    name: str, stack: str, wanted: LogRange, known_secrets: Secrets, connect: Callable[[], Any] = _client
) -> AsyncGenerator[LogLine, None]:
    """The lines of a container's log in this range, then each line that it writes, until it ends.

    Closing the iterator closes the stream, which ends the thread. Raises EngineError.
    """
    arrived: Handover[LogLine | Exception | None] = Handover(MOST_WAITING)
    streams: list[LogFrames] = []

    def read() -> None:
        lines = TimedLines(arrived.put, known_secrets)
        try:
            if container := find(connect(), name, stack):
                streams.append(LogFrames(container, wanted, follow=True))
                # Whoever closed before this did not know the stream, which would be read until the next line comes.
                if not arrived.is_closed:
                    _feed(streams[0], lines, arrived)
                streams[0].close()
            lines.close()
            arrived.put(None)
        except Exception as error:  # noqa: BLE001 (the reader gets each: a thread that dies is seen by nobody)
            arrived.put(error)

    threading.Thread(target=read, name="docker-log", daemon=True).start()
    try:
        while True:
            for line in await arrived.take():
                if line is None:
                    return
                if isinstance(line, Exception):
                    raise EngineError(f"The log of {name} cannot be followed: {line}.") from line
                yield line
    finally:
        # Whoever waits for room goes on, finds it closed, and ends.
        arrived.close()
        for stream in streams:
            stream.close()


def _feed(frames: LogFrames, lines: TimedLines, arrived: Handover[LogLine | Exception | None]) -> None:
    for stream, chunk in frames:
        if arrived.is_closed:
            return
        lines.feed(stream, chunk)


# The process tells its number in the container, by which it is ended when nobody waits for it any more: Docker ends
# nothing that was begun by `exec`.
_WRAPPER = f"""\
echo "changeover-process $$"
case $1 in */*) [ -x "$1" ] ;; *) command -v "$1" > /dev/null ;; esac && exec "$@"
printf '%s\\n' "{not_started("$1")}" >&2
[ -e "$1" ] && exit {NOT_EXECUTABLE}
exit {NOT_FOUND}
"""
_VARIABLE = "CHANGEOVER_COMMAND"
"""In the environment of the command, and of all that it begins, also in a session of its own (setsid(2))."""
_ANY = "exec-"
"""How all values of the variable begin."""
_END = """\
for time in 1 2 3; do
    found=
    for each in /proc/[0-9]*; do
        case $(tr '\\0' '\\n' < "$each/environ") in *{variable}={mark}*) found=1; kill -KILL "${{each#/proc/}}" ;; esac
    done
    [ "$found" ] || break
done 2> /dev/null
"""
"""More than once: what is begun meanwhile is ended, too."""
_NOT_POSSIBLE = (400, 404, 409)
"""Statuses of Docker for a container that has ended or is paused, and for one without a shell, which `exec` needs."""
_MARK = re.compile(rb"changeover-process (\d+)\r?\n")
_NO_SHELL = re.compile(rb'\bexec: "sh": ')
"""Docker's own words, instead of any output, where the image has no shell: whoever typed another program has no use of
them."""
_NEEDS_A_SHELL = (
    b"The command cannot be started: exec needs a shell (sh), and the image has none. "
    b"Start it in a container of its own, without a shell: changeover run APP -- COMMAND\n"
)
_MOST_BEFORE_MARK = 64 * 1024
"""Docker carries the errors of a command apart from its output: they may arrive before the line that it began with."""


class Execution:
    """A command inside a running container. Called in a thread; `end` may be called from any other one."""

    def __init__(
        self,
        container: Any,
        command: tuple[str, ...],
        env: dict[str, str],
        output: Output,
        stdin: Input = None,
    ) -> None:
        self._container = container
        self._command = command
        self._env = env
        self._output = output
        self._stdin = stdin
        self._terminal = stdin if isinstance(stdin, Terminal) else None
        self._taker = stdin if isinstance(stdin, Terminal | Pipe) else None
        self._process = ""
        self._mark = f"{_ANY}{secrets.token_hex(16)}"
        self._ended = False

    def run(self) -> int:
        try:
            return self._run()
        except OSError as error:
            if isinstance(error, RequestException):
                raise  # of a call, not of the output
            raise broken_off(error) from error

    def _run(self) -> int:
        """Run the command to its end; its exit code. Raises EngineError when its output broke off before its end."""
        api = self._container.client.api
        command = ["sh", "-c", _WRAPPER, "sh", *self._command]
        environment = self._env | {_VARIABLE: self._mark}
        reads, terminal = has_input(self._stdin), self._terminal is not None
        made = api.exec_create(self._container.id, command, environment=environment, stdin=reads, tty=terminal)
        show = self._taker.show if self._taker else self._output.feed
        head = b""
        for stream, chunk in self._pieces(made["Id"]):
            if stream == STDERR and (self._taker or self._process):
                self._output.feed(chunk, STDERR)
                continue
            if self._process:
                show(chunk)
                continue
            head += chunk
            if mark := _MARK.search(head):
                self._began(mark[1].decode())
                head = head[: mark.start()] + head[mark.end() :]
            elif len(head) > _MOST_BEFORE_MARK:
                self._process = "unknown"
            if self._process and head:
                show(head)
                head = b""
        if _NO_SHELL.search(head):
            self._output.feed(_NEEDS_A_SHELL)
        elif head:
            show(head)
        return self._exit_code(made["Id"])

    def _exit_code(self, execution: str) -> int:
        deadline = time.monotonic() + ENDS_WITHIN_S
        while (code := self._container.client.api.exec_inspect(execution)["ExitCode"]) is None:
            if time.monotonic() > deadline:
                self.end()
                raise broken_off(ConnectionResetError("Docker closed it while the command ran, which was ended"))
            time.sleep(END_POLL_S)
        return int(code)

    def _pieces(self, execution: str) -> Iterator[tuple[int, bytes]]:
        api = self._container.client.api
        connection = Upgraded(api.exec_start(execution, tty=self._terminal is not None, socket=True))
        if self._terminal is not None:

            def resize(size: Size) -> None:
                api.exec_resize(execution, height=size.rows, width=size.columns)

            yield from ((STDOUT, chunk) for chunk in Window(connection, self._terminal, resize))
        elif (content := content_of(self._stdin)) is not None:
            with fed(connection, content):
                yield from connection.frames()
        else:
            with closing(connection):
                yield from connection.frames()

    def end(self) -> None:
        """End the process for certain, if it runs, with those that it has begun."""
        self._ended = True
        let_go(self._stdin)
        leader = f"kill -KILL -{self._process} || kill -KILL {self._process}\n" if self._process.isdigit() else ""
        script = _END.format(variable=_VARIABLE, mark=self._mark)
        with suppress(DockerException, RequestException):
            self._container.exec_run(["sh", "-c", leader + script])

    def close(self) -> None:
        self._output.close()

    def _began(self, process: str) -> None:
        self._process = process
        if self._ended:
            self.end()


def end_commands(container: Any) -> None:  # Any: as above
    """End whatever was begun by any Execution in this container, if it runs."""
    if container.status != "running":
        return
    try:
        container.exec_run(["sh", "-c", _END.format(variable=_VARIABLE, mark=_ANY)])
    except APIError as error:
        if error.status_code not in _NOT_POSSIBLE:
            raise


async def to_the_end(execution: Execution, timeout_s: float, alone: Call) -> tuple[int, bool]:
    """Run it in a thread of its own. After `timeout_s` seconds, or when the task is cancelled, it is killed."""
    work = asyncio.ensure_future(alone(lambda _client: execution.run()))
    try:
        async with asyncio.timeout(timeout_s):
            return await asyncio.shield(work), False
    except TimeoutError:
        await in_spite_of_cancels(_killed(execution, work, alone))
        return KILLED, True
    except asyncio.CancelledError:
        await in_spite_of_cancels(_killed(execution, work, alone))
        raise
    finally:
        execution.close()


async def _killed(execution: Execution, work: asyncio.Future[int], alone: Call) -> None:
    while not work.done():
        await alone(lambda _client: execution.end())
        await asyncio.wait([work], timeout=END_POLL_S)
    if not work.cancelled():
        work.exception()  # retrieved: how a killed process ended does not matter

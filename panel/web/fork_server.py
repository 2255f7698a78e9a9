"""The server's side of the template: has it fork a process for each page, and starts it again when it has died."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import count

from panel.web.complaints import Complaints
from panel.web.fork_messages import LARGEST_MESSAGE, Ended, Message, Order, Started, decoded, encoded
from panel.web.forked import ForkedProcess, Pipes

COMMAND = (sys.executable, "-m", "panel.web.template")
FORK_DEADLINE_S = 40.0
"""For a fork, and for the start of the template before it. A template that does not fork is ended."""
END_DEADLINE_S = 5.0


class NotForked(Exception):
    """The template did not start, has ended, or could not fork. The message says why."""


class ForkServer:
    """Starts the template when the first process is asked for. Used from one event loop."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._starting: asyncio.Task[_Template] | None = None

    async def fork(self, columns: int, rows: int) -> ForkedProcess:
        """A new process. Raises NotForked."""
        template = await self._template()
        try:
            async with asyncio.timeout(FORK_DEADLINE_S):
                return await template.fork(columns, rows)
        except TimeoutError as error:
            template.kill()
            raise NotForked(f"no process was forked within {FORK_DEADLINE_S:g} s") from error

    async def end(self) -> None:
        """End the template, and with it all that it has forked."""
        starting, self._starting = self._starting, None
        if starting:
            await asyncio.wait([starting])
            if not starting.cancelled() and starting.exception() is None:
                await starting.result().end()

    async def _template(self) -> _Template:
        if self._starting and self._starting.done() and _is_over(self._starting):
            self._starting = None
        if self._starting is None:
            self._starting = asyncio.create_task(_Template.start(self._command))
        return await asyncio.shield(self._starting)


class _Template:
    """A running template, and the processes that it has forked."""

    def __init__(self, process: asyncio.subprocess.Process, ours: socket.socket) -> None:
        assert process.stderr is not None
        self._process = process
        self._socket = ours
        self._numbers = count()
        self._asked: dict[int, tuple[asyncio.Future[ForkedProcess], Pipes]] = {}
        self._children: dict[int, ForkedProcess] = {}
        self._complaints = Complaints()
        self._listening = asyncio.create_task(self._complaints.listen(process.stderr))
        self._hearing = asyncio.create_task(self._hear())
        self.is_over = False

    @classmethod
    async def start(cls, command: Sequence[str]) -> _Template:
        """Raises NotForked."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                str(theirs.fileno()),
                env=_environment(),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
            )
        except OSError as error:
            ours.close()
            raise NotForked(f"the template of the pages' processes could not be started: {error.strerror}") from error
        finally:
            theirs.close()
        return cls(process, ours)

    async def fork(self, columns: int, rows: int) -> ForkedProcess:
        try:
            pipes = await Pipes.made()
        except OSError as error:
            raise NotForked(f"no pipes for a process could be made: {error.strerror}") from error
        order = Order(next(self._numbers), columns, rows)
        started: asyncio.Future[ForkedProcess] = asyncio.get_running_loop().create_future()
        self._asked[order.number] = started, pipes
        try:
            socket.send_fds(self._socket, [encoded(order)], [end.fileno() for end in pipes.theirs])
        except OSError as error:
            pipes.close()
            del self._asked[order.number]
            raise NotForked(f"the template cannot be reached: {error.strerror}") from error
        finally:
            pipes.close_theirs()
        return await started

    async def end(self) -> None:
        """End the template, which ends its children first."""
        with suppress(OSError):  # it has ended already
            self._socket.shutdown(socket.SHUT_RDWR)
        await asyncio.wait([self._hearing], timeout=END_DEADLINE_S)
        self.kill()
        await asyncio.wait([self._hearing])

    def kill(self) -> None:
        """End the template. Its children go on."""
        self.is_over = True
        if self._process.returncode is None:
            self._process.kill()

    async def _hear(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ConnectionResetError):
            while packet := await loop.sock_recv(self._socket, LARGEST_MESSAGE):
                self._take(decoded(packet))
        self.is_over = True
        self._socket.close()
        await self._listening
        code = await self._process.wait()
        problem = str(self._complaints)[-2000:] or f"the template of the pages' processes ended with code {code}"
        for started, pipes in self._asked.values():
            pipes.close()
            if not started.cancelled():
                started.set_exception(NotForked(problem))
        for child in self._children.values():
            child.orphaned()

    def _take(self, message: Message) -> None:
        match message:
            case Started(number, pid, problem):
                started, pipes = self._asked.pop(number)
                if problem:
                    pipes.close()
                    if not started.cancelled():
                        started.set_exception(NotForked(problem))
                    return
                self._children[pid] = process = ForkedProcess(pid, pipes)
                if started.cancelled():
                    process.kill()
                    pipes.close()
                else:
                    started.set_result(process)
            case Ended(pid, code):
                self._children.pop(pid).ended(code)


def _is_over(starting: asyncio.Task[_Template]) -> bool:
    return starting.cancelled() or starting.exception() is not None or starting.result().is_over


def _environment() -> dict[str, str]:
    """Textual reads its own variables when it is loaded."""
    ours = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "ROWS", "NO_COLOR")}
    return ours | {
        "TEXTUAL_DRIVER": "panel.web.driver:PanelDriver",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "TERM_PROGRAM": "textual",
    }

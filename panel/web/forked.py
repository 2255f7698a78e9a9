"""A process that the template has forked, with its pipes, as the web server uses it."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from io import FileIO
from typing import Protocol

LOOK_EVERY_S = 0.5


class PipedProcess(Protocol):
    """A process of a page, with its pipes."""

    stdin: asyncio.StreamWriter | None
    stdout: asyncio.StreamReader | None
    stderr: asyncio.StreamReader | None

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    def kill(self) -> None: ...

    async def wait(self) -> int: ...

    def close(self) -> None:
        """Close our ends of its pipes."""


@dataclass(frozen=True)
class Pipes:
    """Those of a process that is not started yet: our ends, and `theirs` in the order in which the template wants them.

    Of the lifeline, nothing is ever sent. The process ends when our end is closed, also by the server's own end.
    """

    stdin: asyncio.StreamWriter
    stdout: asyncio.StreamReader
    stderr: asyncio.StreamReader
    lifeline: FileIO
    theirs: tuple[FileIO, ...]
    _readers: tuple[asyncio.ReadTransport, ...]

    @classmethod
    async def made(cls) -> Pipes:
        """Raises OSError."""
        loop = asyncio.get_running_loop()
        with ExitStack() as failed:
            ends = [tuple(failed.enter_context(end) for end in _pipe()) for _ in range(4)]
            (their_in, our_in), (our_out, their_out), (our_err, their_err), (their_line, our_line) = ends
            protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
            writing, _ = await loop.connect_write_pipe(lambda: protocol, our_in)
            stdin = asyncio.StreamWriter(writing, protocol, None, loop)
            (stdout, reading_out), (stderr, reading_err) = [await _reader(one) for one in (our_out, our_err)]
            failed.pop_all()
        theirs = (their_in, their_out, their_err, their_line)
        return cls(stdin, stdout, stderr, our_line, theirs, (reading_out, reading_err))

    def close_theirs(self) -> None:
        for end in self.theirs:
            end.close()

    def close(self) -> None:
        """Our ends."""
        self.stdin.close()
        for one in self._readers:
            one.close()
        self.lifeline.close()


def _pipe() -> tuple[FileIO, FileIO]:
    """The end for reading, and the one for writing."""
    reading, writing = os.pipe()
    return FileIO(reading, "r"), FileIO(writing, "w")


async def _reader(end: FileIO) -> tuple[asyncio.StreamReader, asyncio.ReadTransport]:
    reader = asyncio.StreamReader()
    transport, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), end)
    return reader, transport


class ForkedProcess:
    """Its end is told by the template. When that has ended itself, nobody tells it, and it is looked at."""

    def __init__(self, pid: int, pipes: Pipes) -> None:
        self.pid = pid
        self.stdin: asyncio.StreamWriter | None = pipes.stdin
        self.stdout: asyncio.StreamReader | None = pipes.stdout
        self.stderr: asyncio.StreamReader | None = pipes.stderr
        self._pipes = pipes
        self._code: int | None = None
        self._has_ended = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None

    @property
    def returncode(self) -> int | None:
        return self._code

    def kill(self) -> None:
        if self._code is None:
            with suppress(ProcessLookupError):  # it has ended, and the template tells it next
                os.kill(self.pid, signal.SIGKILL)

    async def wait(self) -> int:
        await self._has_ended.wait()
        assert self._code is not None
        return self._code

    def close(self) -> None:
        self._pipes.close()

    def ended(self, code: int) -> None:
        self._code = code
        self._has_ended.set()

    def orphaned(self) -> None:
        """The template has ended. The process goes on."""
        self._looking = asyncio.create_task(self._look())

    async def _look(self) -> None:
        while (code := _code_of_orphan(self.pid)) is None:  # noqa: ASYNC110 (no event tells it)
            await asyncio.sleep(LOOK_EVERY_S)
        self.ended(code)


def _code_of_orphan(pid: int) -> int | None:
    """The code with which a process has ended whose parent had ended before. None while it runs.

    In its container the server is the first process, which inherits orphans and has to wait for them. Elsewhere another
    one does, and the code is not known: as if it had been killed.
    """
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return -signal.SIGKILL
        return None
    return os.waitstatus_to_exitcode(status) if found else None

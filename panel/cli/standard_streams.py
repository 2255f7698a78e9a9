"""The standard streams of the command: whatever they are connected to, all is read and all is written, or it fails.

Python takes a part for the whole: with PYTHONUNBUFFERED, which is usual in containers, a write to a full disk or to a
pipe that does not block (O_NONBLOCK, as those of Node.js) may write a part, and says so by a number that `print` and
others do not read. What it reads from such a pipe ends where nothing more has come yet. If a stream is closed (`2>&-`),
Python writes to standard output what is meant for it. In a CI job, the runner obeys none of it.
"""

from __future__ import annotations

import io
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from panel.cli.runner_commands import GuardedStream, is_obeyed

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


NEVER_FAIL = ("replace", "backslashreplace", "ignore", "namereplace", "xmlcharrefreplace")
"""What Python can do with a letter that the encoding does not have. `strict`, and `surrogateescape`, which it takes in
the locale C without UTF-8, raise an error for it."""


class NotWritten(OSError):
    """What was printed cannot be written, as on a disk that is full."""


class Whole(io.RawIOBase):
    """Writes to a descriptor, which it does not close. Each write returns when all is written.

    Or it raises NotWritten, or BrokenPipeError when the reader has left. Ctrl-C ends a write that waits for a reader,
    also in an event loop, whose own handler would end the task only after the write.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, content: ReadableBuffer, /) -> int:
        left = memoryview(content).cast("B")
        size = len(left)
        with _interruptible():
            while left:
                try:
                    left = left[os.write(self._descriptor, left) :]
                except BlockingIOError:
                    select.select([], [self._descriptor], [])
                except BrokenPipeError:
                    raise
                except OSError as error:
                    raise NotWritten(error.errno, error.strerror) from error
        return size


class ToTheEnd(io.RawIOBase):
    """Reads from a descriptor, which it does not close. Nothing is taken for the end but the end. Raises OSError."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        room = memoryview(buffer).cast("B")
        while True:
            try:
                content = os.read(self._descriptor, len(room))
            except BlockingIOError:
                select.select([self._descriptor], [], [])
            else:
                room[: len(content)] = content
                return len(content)


def make_whole() -> None:
    """Replace the standard streams of this process. Before anything is read from or written to them."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest one that is free: this one
    # A letter that the encoding of the terminal does not have is no reason to fail.
    named = sys.stdin.encoding if sys.stdin else "utf-8"
    sys.stdin = io.TextIOWrapper(io.BufferedReader(ToTheEnd(0)), named, "replace")
    wanted = sys.stdout.errors if sys.stdout else None
    sys.stdout = _text_of(1, wanted if wanted in NEVER_FAIL else "replace")
    sys.stderr = _text_of(2, "backslashreplace")


def drop_the_rest() -> None:
    """What waits to be written is not written any more, at the end of the process either."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _text_of(descriptor: int, errors: str) -> io.TextIOWrapper:
    whole = Whole(descriptor)
    in_lines = descriptor == 2 or whole.isatty()
    named = sys.__stdout__.encoding if sys.__stdout__ else "utf-8"
    kind = GuardedStream if is_obeyed() else io.TextIOWrapper
    return kind(io.BufferedWriter(whole), named, errors, line_buffering=in_lines)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt at once, whoever else handles it. Nothing changes where it is ignored."""
    before = signal.getsignal(signal.SIGINT)
    if not callable(before) or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

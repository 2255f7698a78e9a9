"""Output that is printed while more of it comes: whoever reads it may pause, and nothing else waits for that.

An orchestrator ends what nobody takes anything from for 30 s (docs/limits.md), and a command that waits meanwhile may
hold a transaction of its database. So what comes is read at once, and waits here.
"""

from __future__ import annotations

import asyncio
import io
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import aclosing, asynccontextmanager
from typing import IO, Any

from panel.cli.runner_commands import GuardedStream, harmless
from panel.cli.slow_reader import SlowReader
from panel.cli.spool import Spool

OUT, ERR = 1, 2
ROOM_POLL_S = 0.1
Written = tuple[int, bytes]


def text_for(stream: int, text: str) -> Written:
    """A line of text, as `print` would write it there."""
    named = sys.stdout if stream == OUT else sys.stderr
    text = harmless(text) if isinstance(named, GuardedStream) else text
    return stream, f"{text}\n".encode(named.encoding or "utf-8", named.errors or "replace")


class ReadAhead:
    """Writes chunks in a thread of its own, in their order, which nothing waits for at the end of the process.

    `failed` has what writing has raised. It writes to the streams beneath their buffers: what the thread holds, while
    it waits for a reader, is no lock that the end of the process needs.
    """

    def __init__(self, reader: SlowReader, spool: Spool) -> None:
        self._reader = reader
        self._spool = spool
        self._loop = asyncio.get_running_loop()
        self._all_written = asyncio.Event()
        self.failed: asyncio.Future[OSError] = self._loop.create_future()
        sys.stdout.flush()
        sys.stderr.flush()
        streams = {OUT: _beneath(sys.stdout.buffer), ERR: _beneath(sys.stderr.buffer)}
        threading.Thread(target=self._write, args=(streams,), name="output", daemon=True).start()

    async def put(self, chunks: Iterable[Written]) -> None:
        """Takes them at once, or as soon as the reader has made room. Raises what writing has raised."""
        for stream, content in chunks:
            with self._reader.taking():
                while not self._spool.put(stream, content):
                    await asyncio.wait([self.failed], timeout=ROOM_POLL_S)
                    self.check()

    def check(self) -> None:
        """Raises what writing has raised."""
        if self.failed.done():
            raise self.failed.result()

    async def written(self) -> None:
        """Returns when all is written. Raises what writing has raised."""
        self._spool.close()
        written = asyncio.ensure_future(self._all_written.wait())
        either: list[asyncio.Future[Any]] = [written, self.failed]  # Any: of different types
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            written.cancel()
        self.check()

    def _write(self, streams: dict[int, IO[bytes]]) -> None:
        try:
            while (chunk := self._spool.take()) is not None:
                stream, content = chunk
                left = memoryview(content)
                while left:
                    left = left[streams[stream].write(left) or 0 :]
                streams[stream].flush()
        except OSError as error:
            self._tell(self._set_failed, error)
        else:
            self._tell(self._all_written.set)

    def _set_failed(self, error: OSError) -> None:
        if not self.failed.done():
            self.failed.set_result(error)

    def _tell(self, what: Callable[..., object], *arguments: Any) -> None:  # Any: as call_soon_threadsafe takes them
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(what, *arguments)


@asynccontextmanager
async def reading_ahead(clock: Callable[[], float] = time.monotonic) -> AsyncIterator[tuple[ReadAhead, SlowReader]]:
    """What is put in is written to its end, also after an error; Ctrl-C waits for nothing."""
    reader = SlowReader(clock)
    ahead = ReadAhead(reader, Spool())
    try:
        yield ahead, reader
    except (asyncio.CancelledError, KeyboardInterrupt, OSError):
        raise
    except BaseException:
        await ahead.written()
        raise
    else:
        await ahead.written()


async def each(pieces: Any, ahead: ReadAhead) -> AsyncIterator[Any]:  # Any: an async generator of any values
    """Each piece, until one cannot be written: also one before it, for which the next one is not waited for."""
    async with aclosing(pieces):
        while True:
            upcoming = asyncio.ensure_future(anext(pieces))
            try:
                await asyncio.wait([upcoming, ahead.failed], return_when=asyncio.FIRST_COMPLETED)
                ahead.check()
                piece = await upcoming
            except StopAsyncIteration:
                return
            finally:
                if not upcoming.done():
                    upcoming.cancel()
                    await asyncio.wait([upcoming])
            yield piece


def _beneath(stream: IO[bytes]) -> IO[bytes]:
    raw = getattr(stream, "raw", None)
    return raw if isinstance(raw, io.RawIOBase) else stream  # type: ignore[return-value]  # it writes bytes, too

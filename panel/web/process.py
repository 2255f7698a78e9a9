"""One process of the panel's app, which exchanges packets of Textual's web driver on its pipes."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from panel.keys.typed import Typed
from panel.restart import RESTART
from panel.web.complaints import Complaints
from panel.web.fork_server import ForkServer, NotForked
from panel.web.forked import PipedProcess

START_DEADLINE_S = 20.0
PAINT_DEADLINE_S = 20.0
SAVE_DEADLINE_S = 2.0
COUNTS_WITHIN_S = 2.0
"""A process that does not say within so many seconds that it asks its person is not waited for."""
ESCAPE_KEY = "\x1b[27u"
"""Escape in the kitty keyboard protocol. A bare ESC could be read as Alt with the next key."""
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PRELUDE = b"__GANGLION__\n"


LEAST_COLUMNS, MOST_COLUMNS = 20, 500
LEAST_ROWS, MOST_ROWS = 8, 200
"""The sizes that a page may have. A screen of 5000 x 5000 cells takes 128 MB in the process and in the browser."""
LARGEST_PACKET = 16 * 2**20
"""A screen of the largest size takes less, in bytes. A process that sends more is ended."""
MOST_WAITING = 1000
"""Packets for a page that reads too slowly. Then the process is not read, so that it waits as well."""


class MalformedMessage(Exception):
    """A message of the page is not one that the page's script sends."""


class AppFailed(Exception):
    """The process did not paint its first screen. The message has its output on standard error."""


class AppProcess:
    """A process that is started by `start`, read by `output` and ended by `end`."""

    def __init__(self, process: PipedProcess) -> None:
        self._process = process
        self._waiting: asyncio.Queue[bytes | str | None] = asyncio.Queue()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._painted = asyncio.Event()
        self.signed_out = asyncio.Event()
        """Set when the orchestrator does not accept the session any more."""
        self._saved = asyncio.Event()
        self._is_hidden = False
        self._has_asked, self._moves = asyncio.Event(), asyncio.Event()
        self._complaints = Complaints()
        self._typed = Typed(time.monotonic)
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._listen())]

    @classmethod
    async def start(cls, server: ForkServer, columns: int, rows: int) -> AppProcess:
        """A process that has painted its first screen. Raises AppFailed when it ends or does not paint in time."""
        try:
            app = cls(await server.fork(columns, rows))
        except NotForked as error:
            raise AppFailed(str(error)) from error
        try:
            async with asyncio.timeout(START_DEADLINE_S):
                await app._painted.wait()
        except TimeoutError as error:
            await app.end()
            raise AppFailed(f"the process did not paint its first screen within {START_DEADLINE_S:g} s") from error
        except asyncio.CancelledError:
            await app.end()
            raise
        if app.has_ended:
            await app.end()
            raise AppFailed(str(app._complaints)[-2000:] or f"the process ended with code {app._process.returncode}")
        return app

    @property
    def has_ended(self) -> bool:
        return self._process.returncode is not None

    @property
    def memory_mb(self) -> float:
        """What the process has in memory, with what it shares; 0 if it has ended. From proc(5), statm."""
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_bytes().split()[1])
        except (OSError, IndexError):
            return 0.0
        return pages * PAGE_BYTES / 2**20

    @property
    def wants_restart(self) -> bool:
        """Whether the process has ended to be started again."""
        return self._process.returncode == RESTART

    @property
    def was_quit(self) -> bool:
        """Whether the process has ended as its person wanted: it has not failed, and nobody has killed it."""
        return self._process.returncode == 0

    async def adopt(self, session: str, token: str, columns: int, rows: int, zone: str) -> None:
        """Assign a session to this process, and set the size of its page. `zone`: what the page calls its time zone."""
        await self._resize(columns, rows)
        await self._send_meta({"type": "adopt", "session": session, "token": token, "zone": zone})
        await self._send_meta({"type": "focus"})

    async def take(self, message: str) -> str | None:
        """Process one message of the page. Returns the answer to send back, or None. Raises MalformedMessage."""
        try:
            kind, *rest = json.loads(message)
            if kind == "stdin":
                await self._type(str(rest[0]))
            elif kind == "resize":
                await self._resize(int(rest[0]["width"]), int(rest[0]["height"]))
            elif kind in ("hidden", "shown"):
                self._is_hidden = kind == "hidden"
                await self._send_meta({"type": kind})
            elif kind in ("focus", "blur"):
                await self._send_meta({"type": kind})
            elif kind == "ping":
                return json.dumps(["pong", rest[0]])
        except (ValueError, TypeError, LookupError, OverflowError, RecursionError) as error:
            raise MalformedMessage(f"{type(error).__name__}: {error}") from error
        return None

    async def _resize(self, columns: int, rows: int) -> None:
        columns = max(LEAST_COLUMNS, min(MOST_COLUMNS, columns))
        rows = max(LEAST_ROWS, min(MOST_ROWS, rows))
        await self._send_meta({"type": "resize", "width": columns, "height": rows})

    async def output(self) -> AsyncIterator[bytes | str]:
        """Bytes for the terminal in the page, and messages for the page itself, until the process ends."""
        while (data := await self._waiting.get()) is not None:
            if self._waiting.qsize() < MOST_WAITING:
                self._has_room.set()
            yield data

    async def paints(self, within_s: float = PAINT_DEADLINE_S) -> bool:
        """Whether the process still paints: it is asked to, and answers within `within_s` seconds.

        One that waits for its page to take what it has painted is not asked; the page has its own time limit. Nor is
        one whose page nobody looks at: the question would be all that wakes it.
        """
        if self._is_hidden or not self._has_room.is_set():
            return True
        self._painted.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._send_meta({"type": "paint"})
                await self._painted.wait()
        return self._painted.is_set() or not self._has_room.is_set()

    async def save(self) -> None:
        """Let the app save the session's state. Waits at most SAVE_DEADLINE_S; the app also saves every second."""
        self._saved.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(SAVE_DEADLINE_S):
                await self._send_meta({"type": "save"})
                await self._saved.wait()

    async def until_it_moves(self) -> None:
        """Tell the app that another release of the panel is live. Waits until its person goes there, or at most
        COUNTS_WITHIN_S where the app does not ask the person."""
        await self._send_meta({"type": "replaced"})
        with suppress(TimeoutError):
            async with asyncio.timeout(COUNTS_WITHIN_S):
                await self._has_asked.wait()
            await self._moves.wait()

    async def end(self) -> None:
        """End the process. asyncio reports its end when its pipes are at theirs: a full one that nobody reads, because
        the page takes nothing more, is read."""
        if self._process.returncode is None:
            self._process.kill()
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)
        await asyncio.gather(_drop(self._process.stdout), _drop(self._process.stderr), self._process.wait())
        self._process.close()

    async def _type(self, message: str) -> None:
        """Pass on what was typed. The page sends each key, and each answer of its terminal, as one message."""
        typed = ESCAPE_KEY if message == "\x1b" else self._typed.take(message) + self._typed.rest()
        if typed:
            await self._send(b"D", typed.encode(errors="replace"))

    async def _send(self, kind: bytes, payload: bytes) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(kind + len(payload).to_bytes(4, "big") + payload)
            await self._process.stdin.drain()
        except (ConnectionResetError, BrokenPipeError):
            # The process is ending; `output` ends, too.
            return

    async def _send_meta(self, packet: dict[str, object]) -> None:
        await self._send(b"M", json.dumps(packet).encode())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        stdout = self._process.stdout
        try:
            while await stdout.readline() not in (PRELUDE, b""):
                pass
            while True:
                kind = await stdout.readexactly(1)
                size = int.from_bytes(await stdout.readexactly(4), "big")
                if size > LARGEST_PACKET:
                    self._process.kill()
                    return
                payload = await stdout.readexactly(size)
                if kind == b"D":
                    self._waiting.put_nowait(payload)
                    if self._waiting.qsize() >= MOST_WAITING:
                        self._has_room.clear()
                        await self._has_room.wait()
                elif kind == b"M":
                    self._take_meta(json.loads(payload))
        except asyncio.IncompleteReadError:
            await self._process.wait()
        finally:
            self._waiting.put_nowait(None)
            self._painted.set()
            self._saved.set()
            self._let_move()

    def _take_meta(self, packet: dict[str, object]) -> None:
        if packet["type"] == "painted":
            self._painted.set()
        elif packet["type"] == "saved":
            self._saved.set()
        elif packet["type"] == "open_url" and str(packet["url"]).startswith(("https://", "http://")):
            self._waiting.put_nowait(json.dumps(["open_url", {"url": packet["url"], "new_tab": True}]))
        elif packet["type"] == "counts":
            self._has_asked.set()
        elif packet["type"] == "moves":
            self._let_move()
        elif packet["type"] == "signed_out":
            self.signed_out.set()

    def _let_move(self) -> None:
        self._has_asked.set()
        self._moves.set()

    async def _listen(self) -> None:
        assert self._process.stderr is not None
        await self._complaints.listen(self._process.stderr)


async def _drop(stream: asyncio.StreamReader | None) -> None:
    while stream is not None and await stream.read(LARGEST_PACKET):
        continue

"""A service that is told something, as `json://` of Apprise: it answers, fails, stalls, cuts or leads elsewhere."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any


class NoticeServer:
    """What it does is the first part of the path: ok, status/NUMBER, stalls, cuts, leads-to/PATH."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.stalled = asyncio.Event()
        self.answers: list[int] = []
        """The status of the next answers to `ok`; then 200."""
        self._writers: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> NoticeServer:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    def url(self, path: str, user: str = "") -> str:
        return f"json://{f'{user}@' if user else ''}127.0.0.1:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        lengths = [line.partition(":")[2] for line in head.split("\r\n") if line.lower().startswith("content-length:")]
        body = await reader.readexactly(int(lengths[0])) if lengths else b""
        self.asked.append(path)
        match path.strip("/").partition("?")[0].split("/"):
            case ["stalls", *_]:
                self.stalled.set()
                return
            case ["cuts", *_]:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n")
            case ["status", status, *_]:
                self._answer(writer, int(status))
            case ["leads-to", *where]:
                self._answer(writer, 307, f"location: http://127.0.0.1:{self.port}/{'/'.join(where)}\r\n")
            case _:
                code = self.answers.pop(0) if self.answers else 200
                if code == 200:
                    self.bodies.append(json.loads(body or b"{}"))
                self._answer(writer, code)
        writer.close()

    def _answer(self, writer: asyncio.StreamWriter, status: int, more: str = "") -> None:
        writer.write(f"HTTP/1.1 {status} X\r\n{more}content-length: 0\r\nconnection: close\r\n\r\n".encode())


@contextmanager
def served_in_a_thread() -> Iterator[NoticeServer]:
    """For tests without an event loop."""
    loop, server, ends = asyncio.new_event_loop(), NoticeServer(), asyncio.Event()
    begun = threading.Event()

    async def serve() -> None:
        async with server:
            begun.set()
            await ends.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert begun.wait(30)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(ends.set)
        thread.join(30)
        loop.close()

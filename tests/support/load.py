"""Load on the shop, as a process of its own: `python -m tests.support.load PORT HOST RESULT`.

It ends when its standard input ends.

16 kept-alive connections and 8 that open one per request read and count orders, while a slow answer, an upload and a
WebSocket are always in flight. Every request is written down: when it began, who answered, and what went wrong.
Requests go to 127.0.0.1 only.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

KEPT_ALIVE, NEW_EACH = 16, 8
UPLOAD_BYTES = 20 * 1024 * 1024
LONGEST_RUN_S = 900
MOST_REQUESTS = 600_000


@dataclass
class WebSocketLife:
    """One WebSocket: whose it was, and from when to when."""

    release: str
    opened: float
    closed: float = 0.0
    echoes: int = 0


@dataclass
class Result:
    """`answers` holds for each request that was answered well: when it began, and the release."""

    answers: list[tuple[float, str]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    slowest_s: float = 0.0
    orders: int = 0
    uploads: int = 0
    slow_answers: int = 0
    sockets: list[WebSocketLife] = field(default_factory=list)


class Load:
    def __init__(self, port: int, host: str) -> None:
        self.port, self.host = port, host
        self.result = Result()
        self.stopping = asyncio.Event()

    async def run(self) -> Result:
        workers = [self.kept_alive() for _ in range(KEPT_ALIVE)] + [self.new_each() for _ in range(NEW_EACH)]
        workers += [self.slow(), self.upload(), self.websocket()]
        tasks = [asyncio.create_task(worker) for worker in workers]
        reader = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        with_deadline = asyncio.wait_for(reader.read(), LONGEST_RUN_S)
        await asyncio.gather(with_deadline, return_exceptions=True)
        self.stopping.set()
        await asyncio.gather(*tasks)
        return self.result

    def going(self) -> bool:
        return not self.stopping.is_set() and len(self.result.answers) < MOST_REQUESTS

    async def kept_alive(self) -> None:
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        turn = 0
        while self.going():
            if connection is None:
                connection = await asyncio.open_connection("127.0.0.1", self.port)
            turn += 1
            if not await self.exchange(*connection, turn, keep=True):
                connection[1].close()
                connection = None
        if connection:
            connection[1].close()

    async def new_each(self) -> None:
        turn = 0
        while self.going():
            turn += 1
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            await self.exchange(reader, writer, turn, keep=False)
            writer.close()

    async def exchange(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: int, *, keep: bool
    ) -> bool:
        """One request; True if the connection may be used for another."""
        order = turn % 4 == 0
        path = f"/orders/{uuid.uuid4().hex}" if order else "/"
        method = "POST" if order else "GET"
        reusable = await self.ask(reader, writer, method, path, keep=keep)
        if reusable is not None and order:
            self.result.orders += 1
        return bool(reusable)

    async def ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        method: str,
        path: str,
        *,
        keep: bool = False,
        body: bytes = b"",
    ) -> bool | None:
        """None when it failed; else whether the server keeps the connection."""
        began = time.monotonic()
        connection = "keep-alive" if keep else "close"
        try:
            async with asyncio.timeout(60):
                writer.write(
                    f"{method} {path} HTTP/1.1\r\nHost: {self.host}\r\nConnection: {connection}\r\n"
                    f"Content-Length: {len(body)}\r\n\r\n".encode()
                )
                for start in range(0, len(body), 65536):
                    writer.write(body[start : start + 65536])
                    await writer.drain()
                head = await reader.readuntil(b"\r\n\r\n")
                status = head.split(b" ", 2)[1]
                headers = head.lower()
                length = int(headers.split(b"content-length:")[1].split(b"\r\n")[0])
                content = await reader.readexactly(length)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, IndexError) as error:
            self.result.failures.append(f"{method} {path} at {began:.3f}: {type(error).__name__} {error}")
            return None
        if not status.startswith(b"2"):
            self.result.failures.append(f"{method} {path} at {began:.3f}: {status.decode()} {content[:200]!r}")
            return None
        self.result.answers.append((began, str(json.loads(content)["release"])))
        if path == "/" or path.startswith("/orders"):
            self.result.slowest_s = max(self.result.slowest_s, time.monotonic() - began)
        return keep and b"connection: close" not in headers

    async def slow(self) -> None:
        while self.going():
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            if await self.ask(reader, writer, "GET", "/slow") is not None:
                self.result.slow_answers += 1
            writer.close()

    async def upload(self) -> None:
        body = b"x" * UPLOAD_BYTES
        while self.going():
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            if await self.ask(reader, writer, "POST", "/upload", body=body) is not None:
                self.result.uploads += 1
            writer.close()

    async def websocket(self) -> None:
        """Echoes on one socket until the other side closes it, then opens the next."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import ConnectionClosed

        while self.going():
            uri = f"ws://{self.host}:{self.port}/live"
            async with connect(uri, host="127.0.0.1", port=self.port, ping_interval=None, proxy=None) as socket:
                life = WebSocketLife(str(await socket.recv()), time.monotonic())
                self.result.sockets.append(life)
                try:
                    while self.going():
                        await socket.send("hello")
                        if await socket.recv() != "hello":
                            self.result.failures.append(f"WebSocket of {life.release} did not echo")
                        life.echoes += 1
                        await asyncio.sleep(0.05)
                except ConnectionClosed:
                    pass
                life.closed = time.monotonic()


def main() -> None:
    port, host, result = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    result.write_text(json.dumps(asdict(asyncio.run(Load(port, host).run()))))


if __name__ == "__main__":
    main()

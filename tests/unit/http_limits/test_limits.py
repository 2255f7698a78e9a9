"""What the HTTP servers bear from strangers: large and slow bodies, slow headers, crowds, and readers that stall."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Scope
from starlette.websockets import WebSocket
from websockets.asyncio.client import connect

from http_limits.bodies import LimitedBodies
from http_limits.connections import ConnectionLimits, uvicorn_options

MOST = 1000
KNOWN = b"token"
LIMITS = ConnectionLimits(most=20, most_kept=5, headers_within_s=0.3, stalled_s=0.3)


async def echo(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def endless(_request: Request) -> Response:
    async def text() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536
            await asyncio.sleep(0)

    return StreamingResponse(text())


async def parrot(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(await socket.receive_text())


async def silent(_socket: WebSocket) -> None:
    await asyncio.Event().wait()


async def knows(scope: Scope) -> bool:
    return (b"authorization", KNOWN) in scope["headers"]


@asynccontextmanager
async def serving() -> AsyncIterator[int]:
    """A server with these limits; its port."""
    app = Starlette(
        routes=[
            Route("/", echo, methods=["GET", "POST"]),
            Route("/endless", endless),
            WebSocketRoute("/", parrot),
            WebSocketRoute("/silent", silent),
        ]
    )
    limited = LimitedBodies(app, MOST, knows, read_within_s=0.5)
    server = uvicorn.Server(
        uvicorn.Config(limited, port=0, log_level="critical", lifespan="off", **uvicorn_options(LIMITS))
    )
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        await task


async def answer(port: int, *parts: bytes) -> bytes:
    """All that the server sends until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def head(*lines: str, method: str = "POST") -> bytes:
    return "\r\n".join([f"{method} / HTTP/1.1", "Host: test", "Connection: close", *lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("lines", "body", "status", "says"),
    [
        (["Content-Length: 5", "Authorization: token"], b"hello", b"200", b"5"),
        ([f"Content-Length: {MOST + 1}", "Authorization: token"], b"", b"413", b"longer than 1000 bytes"),
        (["Content-Length: 314572800"], b"", b"413", b"longer than 1000 bytes"),
        (
            ["Transfer-Encoding: chunked", "Authorization: token"],
            b"".join(b"64\r\n" + b"x" * 100 + b"\r\n" for _ in range(11)),
            b"413",
            b"longer than 1000 bytes",
        ),
        (["Content-Length: 5"], b"", b"200", b"0"),
        (["Transfer-Encoding: chunked"], b"", b"200", b"0"),
    ],
    ids=["short", "long", "300 MB", "long in chunks", "not known", "not known, in chunks"],
)
async def test_a_body_is_limited_and_is_not_read_for_a_stranger(
    lines: list[str], body: bytes, status: bytes, says: bytes
) -> None:
    async with serving() as port:
        got = await answer(port, head(*lines), body)

    assert got.split()[1] == status
    assert says in got


async def test_a_body_that_drips_is_refused_when_its_time_is_over() -> None:
    async with serving() as port:
        got = await answer(port, head("Content-Length: 10", "Authorization: token"), b"hel")

    assert got.split()[1] == b"408"


@pytest.mark.parametrize("start", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: test\r\n"])
async def test_who_sends_no_request_in_time_is_disconnected(start: bytes) -> None:
    async with serving() as port:
        assert await answer(port, start) == b""


async def test_headers_that_are_too_long_are_refused() -> None:
    async with serving() as port:
        got = await answer(port, head(f"X-Long: {'x' * 600_000}", method="GET"))

    assert got.split()[1:2] in ([], [b"400"])  # the rest of the headers may meet a closed connection


async def test_of_a_crowd_no_connection_is_kept_and_what_is_over_the_limit_is_closed() -> None:
    async with serving() as port:
        crowd = [await asyncio.open_connection("127.0.0.1", port) for _ in range(LIMITS.most_kept)]
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        one_more = await reader.read()
        crowd += [await asyncio.open_connection("127.0.0.1", port) for _ in range(LIMITS.most - LIMITS.most_kept)]
        beyond = await answer(port, head(method="GET"))
        for _, open_one in (*crowd, (reader, writer)):
            open_one.close()

    assert b"connection: close" in one_more
    assert beyond.split()[1:2] in ([], [b"503"])


async def test_who_does_not_read_the_answer_is_disconnected() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /endless HTTP/1.1\r\nHost: test\r\n\r\n")
        await asyncio.sleep(1.0)
        got = 0
        try:
            async with asyncio.timeout(20):
                while data := await reader.read(2**20):
                    got += len(data)
                    assert got < 50 * 2**20
        except ConnectionResetError:
            pass
        writer.close()


async def test_a_silent_websocket_is_not_taken_for_a_client_that_sends_no_request() -> None:
    async with serving() as port, connect(f"ws://127.0.0.1:{port}/", proxy=None) as socket:
        await asyncio.sleep(LIMITS.headers_within_s * 3)
        await socket.send("still here")

        assert await socket.recv() == "still here"


UPGRADE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


@pytest.mark.parametrize(
    "more",
    [b"Cookie: x=" + b"a" * 9000 + b"\r\n", b"".join(b"x-%d: y\r\n" % number for number in range(150))],
    ids=["a long line", "many lines"],
)
async def test_a_head_that_is_too_large_for_a_websocket_is_refused_and_its_connection_ends(more: bytes) -> None:
    """It was not answered, and each one kept a place for ever: 1,000 of them, and nobody else got one."""
    async with serving() as port:
        for _ in range(LIMITS.most + 5):
            said = await answer(port, UPGRADE + more + b"\r\n")
            assert said.startswith(b"HTTP/1.1 431 ")

        async with connect(f"ws://127.0.0.1:{port}/") as socket:
            await socket.send("hello")
            assert await socket.recv() == "hello"


async def test_a_websocket_whose_handshake_has_no_end_is_ended() -> None:
    async with serving() as port:
        assert await answer(port, UPGRADE.replace(b"GET /", b"GET /silent") + b"\r\n") == b""

"""GET over a UNIX socket: as httpx would ask and answer, and limited as every answer of a stranger."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from orchestrator.host.bounded_answer import MOST_BYTES, bounded_get
from orchestrator.host.local_get import local_get

HOST = {"host": "shop.test", "x-changeover-app": "shop"}
WITHIN_S = 0.5
ANSWERS = {
    "with a length": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Progress: 3\r\n\r\nok, and what nobody asked for",
    "in chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n3\r\n, t\r\n0\r\n\r\n",
    "to the end": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
    "of HTTP/1.0": b"HTTP/1.0 503 Away\r\n\r\nlater",
    "empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "after a word": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "a redirect": b"HTTP/1.1 302 Found\r\nLocation: /sign-in\r\nContent-Length: 0\r\n\r\n",
    "compressed": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nok",
    "of an odd charset": b"HTTP/1.1 200 OK\r\nContent-Type: a/b; charset=hex\r\nContent-Length: 2\r\n\r\n\xc3\xa4",
    "with a name beyond ASCII": b"HTTP/1.1 200 OK\r\nServer: Bj\xf8rn\r\nContent-Length: 2\r\n\r\nok",
    "with progress in UTF-8": "HTTP/1.1 503 Away\r\nX-Progress: 50 % – läuft\r\nContent-Length: 2\r\n\r\nno".encode(),
    "a redirect beyond ASCII": "HTTP/1.1 302 Found\r\nLocation: /über\r\nContent-Length: 0\r\n\r\n".encode(),
    "long": b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"." * 200_000,
}
FAULTS = {
    "cut short": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok",
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "interim answers without end": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 10_000,
    "a head without end": b"HTTP/1.1 200 OK\r\n" + b"X-More: more\r\n" * 20_000,
}


async def answered(tmp_path: Path, said: bytes, ask: Callable[[Path], object], *, then_s: float = 0.0) -> list[bytes]:
    """What a server was asked that says this to everybody."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(said)
        await asyncio.sleep(then_s)
        writer.close()

    socket = tmp_path / "a.sock"
    async with await asyncio.start_unix_server(answer, socket):
        await ask(socket)  # type: ignore[misc]  # a coroutine of either way
    return asked


@pytest.mark.parametrize("said", ANSWERS.values(), ids=ANSWERS)
async def test_an_answer_is_the_one_that_httpx_gives(said: bytes, tmp_path: Path) -> None:
    found: list[httpx.Response] = []

    async def both(socket: Path) -> None:
        async with httpx.AsyncHTTPTransport(uds=str(socket)) as transport:
            found.append(await bounded_get(transport, "http://changeover.internal/a?b=c d", HOST, 5.0))
        found.append(await local_get(socket, "/a?b=c d", HOST, 5.0))

    first, second = await answered(tmp_path, said, both)

    theirs, ours = found
    assert (ours.status_code, ours.content, ours.text) == (theirs.status_code, theirs.content, theirs.text)
    assert ours.headers.multi_items() == theirs.headers.multi_items()
    assert ours.is_redirect == theirs.is_redirect
    assert len(ours.content) <= MOST_BYTES
    assert second.splitlines()[0] == first.splitlines()[0]
    for line in (b"host: shop.test", b"x-changeover-app: shop", b"connection: close", b"accept-encoding: identity"):
        assert second.lower().splitlines().count(line) == 1


async def test_a_header_beyond_ascii_is_read_as_it_was_meant(tmp_path: Path) -> None:
    async def ask(socket: Path) -> None:
        assert (await local_get(socket, "/", HOST, 5.0)).headers["x-progress"] == "50 % – läuft"

    await answered(tmp_path, ANSWERS["with progress in UTF-8"], ask)


async def test_a_connection_that_is_closed_at_once_is_said_in_words(tmp_path: Path) -> None:
    async def ask(socket: Path) -> None:
        with pytest.raises(httpx.RemoteProtocolError, match="closed the connection without an answer"):
            await local_get(socket, "/", HOST, 5.0)

    await answered(tmp_path, b"", ask)


@pytest.mark.parametrize("said", FAULTS.values(), ids=FAULTS)
async def test_what_is_no_whole_answer_is_an_error_of_the_protocol(said: bytes, tmp_path: Path) -> None:
    async def ask(socket: Path) -> None:
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            await local_get(socket, "/", HOST, 5.0)

    await answered(tmp_path, said, ask)


async def test_interim_answers_are_read_as_far_as_a_head_may_be_long(tmp_path: Path) -> None:
    async def ask(socket: Path) -> None:
        with pytest.raises(httpx.RemoteProtocolError, match="its status and headers are too long"):
            await local_get(socket, "/", HOST, 5.0)

    await answered(tmp_path, FAULTS["interim answers without end"], ask)


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nok"])
async def test_the_time_limit_is_one_for_the_whole_answer(said: bytes, tmp_path: Path) -> None:
    async def ask(socket: Path) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await local_get(socket, "/", HOST, WITHIN_S)

    await answered(tmp_path, said, ask, then_s=4 * WITHIN_S)


async def test_a_socket_that_is_not_there_is_an_error_of_the_connection(tmp_path: Path) -> None:
    with pytest.raises(httpx.ConnectError):
        await local_get(tmp_path / "missing.sock", "/", HOST, WITHIN_S)


async def test_a_header_cannot_bring_a_second_one(tmp_path: Path) -> None:
    with pytest.raises(httpx.LocalProtocolError):
        await local_get(tmp_path / "missing.sock", "/", {"host": "a.test\r\nx-changeover-app: panel"}, WITHIN_S)

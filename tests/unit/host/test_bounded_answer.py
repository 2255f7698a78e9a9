"""Answers of strangers are limited in size and in total time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from time import process_time

import httpx
import pytest

from orchestrator.host.bounded_answer import MOST_BYTES, bounded, bounded_get

HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"
WITHIN_S = 0.5


async def drips(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n")
    while True:
        writer.write(b".")
        await writer.drain()
        await asyncio.sleep(0.05)


async def drips_in_its_head(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD)
    while True:
        writer.write(b"X-More: more\r\n")
        await writer.drain()
        await asyncio.sleep(0.05)


async def is_silent(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def never_ends(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"\r\n")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def is_300_mb(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Length: 314572800\r\n\r\n")
    for _ in range(4800):
        writer.write(b"x" * 65536)
        await writer.drain()


async def is_a_bomb(writer: asyncio.StreamWriter) -> None:
    writer.write(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\nnot gz")
    await writer.drain()


@asynccontextmanager
async def app(answers: Callable[[asyncio.StreamWriter], object]) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await answers(writer)  # type: ignore[misc]  # one of the coroutines above
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    server.close()


@pytest.mark.parametrize("answers", [drips, drips_in_its_head, is_silent])
async def test_an_answer_that_is_not_complete_in_time_is_none(
    answers: Callable[[asyncio.StreamWriter], object],
) -> None:
    async with app(answers) as url, httpx.AsyncHTTPTransport() as transport:
        with pytest.raises(httpx.HTTPError):
            async with asyncio.timeout(20):
                await bounded_get(transport, url, {}, WITHIN_S)


@pytest.mark.parametrize(("answers", "size"), [(never_ends, MOST_BYTES), (is_300_mb, MOST_BYTES), (is_a_bomb, 0)])
async def test_of_a_long_answer_the_beginning_is_read(
    answers: Callable[[asyncio.StreamWriter], object], size: int
) -> None:
    async with app(answers) as url, httpx.AsyncHTTPTransport() as transport:
        answer = await bounded_get(transport, url, {"host": "shop.test"}, 20)

    assert answer.status_code == 200
    assert len(answer.content) == size


@pytest.mark.parametrize("charset", ["hex", "rot13", "undefined", "idna", "zlib", "utf-16", "no-such-one"])
async def test_an_answer_has_a_text_whatever_charset_it_claims(charset: str) -> None:
    """Python has codecs that are none for a text: their errors were taken for a defect in Changeover."""

    async def claims(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + f"Content-Type: text/plain; charset={charset}\r\n\r\nnot ready \xe9".encode("latin-1"))
        await writer.drain()

    async with app(claims) as url, httpx.AsyncHTTPTransport() as transport:
        assert (await bounded_get(transport, url, {}, 20)).text == "not ready \ufffd"


@pytest.mark.parametrize(
    "named",
    [
        b"text/html; charset*" + b"9" * 5000 + b"*=a",
        b"text/html; charset*=a%00b''6161",
        b"text/html; charset*=\xff''6161",
        b"text/html; charset=\xe9",
        b'text/html; charset="',
        b"text/plain" + b"; a=b" * 18_000,
    ],
    ids=["digits", "nul", "not ascii", "charset not ascii", "open quote", "long"],
)
def test_an_answer_has_a_text_whatever_its_type_is_called(named: bytes) -> None:
    """What reads such a header has limits of its own, raises other errors, or needs seconds."""
    began = process_time()

    answer = bounded(200, [(b"Content-Type", named)], "läuft".encode(), httpx.Request("GET", "http://shop.test/"))

    assert answer.text == "läuft"
    assert process_time() - began < 0.1


def usual_and_like_it() -> Iterator[str]:
    for number in range(30):
        yield from (f"iso-8859-{number}", f"ISO8859-{number}")
    for number in range(1245, 1265):
        yield from (f"windows-{number}", f"cp{number}")


@pytest.mark.parametrize("charset", [*usual_and_like_it(), "utf8", "UTF-8", "ascii", "us-ascii"])
def test_an_answer_in_a_charset_that_is_numbered_has_a_text_whether_it_exists_or_not(charset: str) -> None:
    """Of the numbers, some are of no charset: Python's error was taken for a defect in Changeover."""
    of_type = [(b"content-type", f"text/html; charset={charset}".encode())]

    answer = bounded(200, of_type, b"ready", httpx.Request("GET", "http://shop.test/"))

    assert answer.text == "ready"


@pytest.mark.parametrize("location", [b"http://[::1", b"http://a:b:c/", b"//", b"", b"http://\xe9:99999/", b"a b"])
async def test_an_answer_may_lead_to_what_is_no_address(location: bytes) -> None:
    """httpx's client reads where an answer leads, also if it does not follow it: the probe failed."""

    async def leads(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 302 Found\r\nConnection: close\r\nLocation: " + location + b"\r\n\r\nready")
        await writer.drain()

    async with app(leads) as url, httpx.AsyncHTTPTransport() as transport:
        answer = await bounded_get(transport, url, {}, 20)

    assert (answer.status_code, answer.text) == (302, "ready")


async def test_an_answer_in_a_usual_charset_is_read_in_it() -> None:
    async def latin(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"Content-Type: text/html; charset=ISO-8859-1\r\n\r\n\xe9")
        await writer.drain()

    async with app(latin) as url, httpx.AsyncHTTPTransport() as transport:
        assert (await bounded_get(transport, url, {}, 20)).text == "\u00e9"

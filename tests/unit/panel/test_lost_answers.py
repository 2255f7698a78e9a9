"""A deployment whose answer is lost is asked for again with the same key, and is not deployed twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from panel.client import client as module
from panel.client.client import Client
from panel.client.errors import Refused, Unanswered, Unreachable
from tests.support import api_answers as answers

LOST = b""
QUEUED = json.dumps(answers.deployment(state="queued")).encode()
GOOD = b"HTTP/1.1 202 Accepted\r\ncontent-length: %d\r\n\r\n%s" % (len(QUEUED), QUEUED)
STARTING = b'{"detail": "The orchestrator is starting."}'
STARTS = b"HTTP/1.1 503 Away\r\ncontent-length: %d\r\n\r\n%s" % (len(STARTING), STARTING)
GATEWAY = b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 2\r\n\r\nno"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "REPEAT_PAUSES_S", (0.01,) * 4)


@asynccontextmanager
async def server(*answered: bytes) -> AsyncIterator[tuple[Client, list[str]]]:
    """A client, and the keys of the requests that came. Each gets the next answer, or none, and the last one stays."""
    keys: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        keys.append(head.partition("idempotency-key: ")[2].partition("\r\n")[0])
        writer.write(answered[min(len(keys), len(answered)) - 1])
        await writer.drain()
        writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with listening, Client(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}", "co_x") as client:
        yield client, keys


@pytest.mark.parametrize("answered", [(LOST, GOOD), (GATEWAY, GOOD), (LOST, STARTS, LOST, GOOD)])
async def test_it_is_asked_for_again_with_its_key(answered: tuple[bytes, ...]) -> None:
    async with server(*answered) as (client, keys):
        assert (await client.deploy("shop", idempotency_key="k1")).id == "d42"
        assert client.waits_for_a_change is False

    assert keys == ["k1"] * len(answered)


async def test_without_a_key_it_is_sent_once() -> None:
    async with server(LOST, GOOD) as (client, keys):
        with pytest.raises(Unanswered):
            await client.deploy("shop")

    assert keys == [""]


async def test_an_answer_that_never_comes_is_an_error_in_the_end() -> None:
    async with server(LOST) as (client, keys):
        with pytest.raises(Unanswered):
            await client.deploy("shop", idempotency_key="k1")

    assert len(keys) == 5


async def test_what_is_refused_or_reaches_nobody_is_not_repeated() -> None:
    async with server(STARTS) as (client, keys):
        with pytest.raises(Refused):
            await client.deploy("shop", idempotency_key="k1")
        gone = client
    assert len(keys) == 1

    async with Client(gone.url, "co_x") as client:
        with pytest.raises(Unreachable) as raised:
            await client.deploy("shop", idempotency_key="k1")
    assert type(raised.value) is Unreachable

"""Whether an app serves others while a connection that it has kept is idle: found by probes, said by a deployment."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from orchestrator.apps.probe import HttpProber
from orchestrator.domain.deployment import State
from tests.support import virtual_time
from tests.support.fakes.stories import app, nothing_before
from tests.support.fakes.world import World


@asynccontextmanager
async def server(
    *,
    at_a_time: int,
    keeps: bool,
    answers: bool = True,
    answers_after_s: float = 0.0,
    late: frozenset[int] = frozenset(),
) -> AsyncIterator[int]:
    """Serves so many connections at a time; the port. The requests with the numbers `late` are answered after 0.8 s."""
    requests = itertools.count(1)
    turns = asyncio.Semaphore(at_a_time)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with turns:
            while await reader.readline() and answers:
                while (await reader.readline()).strip():
                    continue
                await asyncio.sleep(0.8 if next(requests) in late else answers_after_s)
                close = b"" if keeps else b"connection: close\r\n"
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n" + close + b"\r\nok")
                if not keeps:
                    break
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


@pytest.mark.parametrize(
    ("at_a_time", "keeps", "waits"), [(1, True, True), (1, False, False), (2, True, False), (100, True, False)]
)
async def test_one_connection_at_a_time_is_found_where_it_is_kept(at_a_time: int, keeps: bool, waits: bool) -> None:
    async with server(at_a_time=at_a_time, keeps=keeps) as port:
        assert await HttpProber().waits_for_idle_connections("127.0.0.1", port, "/", host="shop.test") is waits


async def test_a_slow_answer_alone_is_no_sign() -> None:
    async with server(at_a_time=2, keeps=True, answers_after_s=0.7) as port:
        assert not await HttpProber().waits_for_idle_connections("127.0.0.1", port, "/", host="shop.test")


async def test_one_late_answer_on_a_busy_machine_is_no_sign() -> None:
    async with server(at_a_time=2, keeps=True, late=frozenset({2})) as port:
        assert not await HttpProber().waits_for_idle_connections("127.0.0.1", port, "/", host="shop.test")


async def test_one_that_does_not_answer_is_not_taken_for_one_that_waits() -> None:
    async with server(at_a_time=1, keeps=True, answers=False) as port:
        assert not await HttpProber().waits_for_idle_connections("127.0.0.1", port, "/", host="shop.test")


@pytest.mark.parametrize(
    ("one_at_a_time", "keep_alive", "said"), [(True, True, True), (True, False, False), (False, True, False)]
)
def test_a_deployment_says_which_key_to_set(tmp_path: Path, one_at_a_time: bool, keep_alive: bool, said: bool) -> None:
    async def story() -> None:
        world = World(tmp_path, app())
        world.configure(route={"host": "shop.test", "keep_alive": keep_alive})
        world.engine.serves_one_connection = one_at_a_time
        await nothing_before(world)
        assert (await world.deploy()).state is State.LIVE
        lines = [str(event.fields.get("line")) for event in world.journal.events()]
        assert any("route.keep_alive" in line for line in lines) is said

    virtual_time.run(story())

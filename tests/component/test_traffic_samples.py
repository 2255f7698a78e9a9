"""The numbers of a real HAProxy are those of the load that a test sends, across reloads and beside our own probes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from orchestrator.clock import elapsed
from orchestrator.domain.colour import Colour
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute, Server
from orchestrator.proxy.statistics import Totals
from orchestrator.traffic.sampler import Sampler
from orchestrator.traffic.ticks import ProbeTicks
from tests.support.images import build_image
from tests.support.proxy_container import ProxyContainer, gateway

STATUSES = (200, 200, 200, 200, 302, 404, 500)
SLOW_MS, FAST_MS = 200, 20


@pytest.fixture
def container(folder: Path) -> Iterator[ProxyContainer]:
    build_image("proxy")
    with ProxyContainer(folder) as container:
        yield container


@asynccontextmanager
async def app() -> AsyncIterator[Server]:
    """Answers `/STATUS/MS` with this status after so many milliseconds."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError):
            await answer(reader, writer)
        writer.close()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while request := await reader.readline():
            while (await reader.readline()).strip():
                pass
            _, status, wait_ms = request.split()[1].decode().split("/")
            await asyncio.sleep(int(wait_ms) / 1000)
            writer.write(f"HTTP/1.1 {status} Said\r\ncontent-length: 0\r\n\r\n".encode())

    server = await asyncio.start_server(serve, gateway(), 0)
    async with server:
        yield Server(gateway(), server.sockets[0].getsockname()[1])


@asynccontextmanager
async def sampled(proxy: HAProxy) -> AsyncIterator[Sampler]:
    """From the first sample on."""
    sampler = Sampler(proxy, lambda: ["shop"], ProbeTicks(), dict, lambda _: None)
    tasks = [asyncio.create_task(task()) for task in (sampler.keep_following, sampler.keep_sampling)]
    try:
        await until_sampled(sampler, 1)
        yield sampler
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until_sampled(sampler: Sampler, seconds: int) -> None:
    """So many more seconds."""
    until = max(sampler.history.seconds.newest, int(elapsed())) + seconds
    async with asyncio.timeout(seconds + 20):
        while sampler.history.seconds.newest < until:  # noqa: ASYNC110 (it tells nobody)
            await asyncio.sleep(0.05)


def counted(sampler: Sampler) -> Totals:
    return sampler.since_start.of["shop", Colour.BLUE].totals


async def load(container: ProxyContainer, count: int, sent: Counter[int], ms: int = 0) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{container.port}", verify=False, timeout=20) as client:
        for number in range(count):
            status = STATUSES[number % len(STATUSES)]
            answer = await client.get(f"/{status}/{ms}", headers={"host": "shop.test"})
            assert answer.status_code == status
            sent[status] += 1


async def test_what_is_counted_is_what_was_sent_across_reloads_and_without_our_own_probes(
    container: ProxyContainer,
) -> None:
    async with app() as server:
        shop = AppRoute("shop", hosts=("shop.test",), active=Colour.BLUE, servers={Colour.BLUE: server})
        proxy = HAProxy(container.folder, 1)
        proxy.prepare_files([shop])
        container.start()
        await proxy.configure([shop], deadline_s=20)
        async with sampled(proxy) as sampler:
            sent: Counter[int] = Counter()
            clients = [asyncio.create_task(load(container, 200, sent, ms=60)) for _ in range(4)]
            for _ in range(3):
                await until_sampled(sampler, 2)
                await proxy._running.reload()
                await until_sampled(sampler, 2)
                for status in (200, 404, 503):
                    await proxy.ask_colour("shop", Colour.BLUE, f"/{status}/0", 2.0)
            await asyncio.gather(*clients)
            await until_sampled(sampler, 3)
            totals = counted(sampler)
            points = sampler.history.seconds.last("shop", 3)

    assert totals._replace(connections=0, queue=0) == Totals(
        requests=800, ok=sent[200], redirects=sent[302], client_errors=sent[404], server_errors=sent[500]
    )
    assert points[-1] is not None
    assert (points[-1].requests, points[-1].connections, points[-1].queue) == (0, 0, 0)


async def test_percentiles_are_those_of_the_requests(container: ProxyContainer) -> None:
    async with app() as server:
        shop = AppRoute("shop", hosts=("shop.test",), active=Colour.BLUE, servers={Colour.BLUE: server})
        proxy = HAProxy(container.folder, 1)
        proxy.prepare_files([shop])
        container.start()
        await proxy.configure([shop], deadline_s=20)
        async with sampled(proxy) as sampler:
            sent: Counter[int] = Counter()
            await asyncio.gather(*(load(container, 30, sent, FAST_MS) for _ in range(8)))
            await asyncio.gather(*(load(container, 5, sent, SLOW_MS) for _ in range(2)))
            await until_sampled(sampler, 2)
            p99 = sampler.history.last_minute.p99("shop")
            point = sampler.history.last_minute.point("shop")

    assert p99 is not None
    assert SLOW_MS * 0.98 <= p99 <= SLOW_MS * 2
    assert FAST_MS * 0.98 <= point.p50 <= point.p90 < SLOW_MS


async def test_a_proxy_that_is_away_is_a_gap_and_is_followed_again(container: ProxyContainer) -> None:
    async with app() as server:
        shop = AppRoute("shop", hosts=("shop.test",), active=Colour.BLUE, servers={Colour.BLUE: server})
        proxy = HAProxy(container.folder, 1)
        proxy.prepare_files([shop])
        container.start()
        await proxy.configure([shop], deadline_s=20)
        async with sampled(proxy) as sampler:
            sent: Counter[int] = Counter()
            await load(container, 70, sent)
            await until_sampled(sampler, 1)
            await asyncio.to_thread(container.restart)
            await load(container, 70, sent)
            await until_sampled(sampler, 3)
            requests = sampler.history.seconds.first_values("shop", 60)
            totals, of_second = counted(sampler), sampler.since_start.of["shop", Colour.BLUE]

    assert totals.requests == sum(sent.values())
    assert sum(of_second.buckets.values()) >= 70
    assert sum(one for one in requests if one is not None) <= sum(sent.values())

"""A server whose threads serve one connection each until it is closed: whether idle connections keep others waiting."""

from __future__ import annotations

import time

import httpx

from orchestrator.domain.colour import Colour
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute, Server
from tests.support.proxy_container import ProxyContainer, gateway
from tests.support.small_server import SmallServer

REQUESTS = 4
IDLE_S = 2.0
"""A kept connection that is idle is closed by the proxy after two to four seconds."""


def route(server: SmallServer, *, keep_alive: bool) -> AppRoute:
    servers = {Colour.BLUE: Server(server.address, server.port)}
    return AppRoute("one", default=True, active=Colour.BLUE, servers=servers, keep_alive=keep_alive)


async def slowest_of_new_clients(url: str) -> float:
    """Clients one after the other, with a connection and a request each: the longest time of one, in seconds."""
    took = []
    for _ in range(REQUESTS):
        began = time.monotonic()
        async with httpx.AsyncClient(timeout=30) as client:
            assert (await client.get(url)).text.startswith("one")
        took.append(time.monotonic() - began)
    return max(took)


async def slowest_of_kept_clients(url: str) -> float:
    """Two clients that turn about, each on a connection that it keeps: the longest time of a request, in seconds."""
    took = []
    async with httpx.AsyncClient(timeout=30) as first, httpx.AsyncClient(timeout=30) as second:
        for _ in range(REQUESTS):
            for client in (first, second):
                began = time.monotonic()
                assert (await client.get(url)).text.startswith("one")
                took.append(time.monotonic() - began)
    return max(took)


async def test_requests_do_not_wait_for_idle_connections_where_none_is_kept(container: ProxyContainer) -> None:
    url = f"http://127.0.0.1:{container.port}/"
    with SmallServer("one", gateway(), keeps=True) as server:
        proxy = HAProxy(container.folder, 1)
        proxy.prepare_files([route(server, keep_alive=False)])
        container.start()

        assert await slowest_of_new_clients(url) < IDLE_S
        assert await slowest_of_kept_clients(url) < IDLE_S

        # Without a reload, the proxy keeps connections again: the next client waits for the one before.
        await proxy.configure([route(server, keep_alive=True)])
        assert await slowest_of_new_clients(url) > IDLE_S / 2


async def test_a_probe_of_ours_leaves_no_idle_connection(container: ProxyContainer) -> None:
    with SmallServer("one", gateway(), keeps=True) as server:
        proxy = HAProxy(container.folder, 1)
        proxy.prepare_files([route(server, keep_alive=True)])
        container.start()
        # The requests before have left one, which is waited for.
        assert (await proxy.ask("one", "/")).is_success

        began = time.monotonic()
        for _ in range(3):
            assert (await proxy.ask("one", "/")).is_success
            assert (await proxy.ask_colour("one", Colour.BLUE, "/", 5)).is_success
        assert time.monotonic() - began < IDLE_S

"""Which apps are paused is one answer for all apps."""

from __future__ import annotations

import asyncio
from pathlib import Path

from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.haproxy_config import PAUSE_MAP
from tests.support.fakes.haproxy_sockets import HAProxySockets

APPS = 50


async def test_fifty_probes_at_once_ask_the_proxy_at_most_twice(tmp_path: Path) -> None:
    async with HAProxySockets(tmp_path) as sockets:
        proxy = HAProxy(tmp_path, 1)
        sockets.maps[PAUSE_MAP] = {"shop": "30000"}

        found = await asyncio.gather(*(proxy.paused() for _ in range(APPS)))

        assert found == [{"shop"}] * APPS
        assert len(sockets.exchanges) <= 2


async def test_whoever_asks_after_a_pause_hears_of_it(tmp_path: Path) -> None:
    """Also while an answer from before the pause is on its way to others."""
    async with HAProxySockets(tmp_path):
        proxy = HAProxy(tmp_path, 1)
        proxy.prepare_files([])
        earlier = [asyncio.create_task(proxy.paused()) for _ in range(3)]
        await asyncio.sleep(0)
        await proxy.pause("shop", 30)

        assert await proxy.paused() == {"shop"}
        await asyncio.gather(*earlier)
        await proxy.resume("shop")
        assert await proxy.paused() == set()

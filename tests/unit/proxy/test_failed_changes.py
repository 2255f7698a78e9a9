"""A change of an app's route that fails anywhere: memory and files are as before, and it can be asked for again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.haproxy_config import TRAFFIC_MAP
from orchestrator.proxy.routes import AppRoute, Server
from tests.support.fakes.haproxy_sockets import HAProxySockets

ACTIVE, STANDBY, CANDIDATE = Server("10.0.0.2", 8000), Server("10.0.0.3", 8000), Server("10.0.0.4", 8000)
ROUTE = AppRoute("shop", hosts=("shop.test",), active=Colour.BLUE, servers={Colour.BLUE: ACTIVE, Colour.GREEN: STANDBY})
Change = Callable[[HAProxy], Awaitable[None]]

CHANGES: dict[str, Change] = {
    "switch": lambda proxy: proxy.switch("shop", Colour.GREEN, CANDIDATE),
    "fail over": lambda proxy: proxy.fail_over("shop", Colour.BLUE),
    "forget": lambda proxy: proxy.forget_route("shop"),
}


def files_of(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir() if path.suffix in (".cfg", ".map")}


async def prepared(sockets: HAProxySockets) -> HAProxy:
    """A proxy whose files, memory and worker have the route."""
    proxy = HAProxy(sockets.folder, 1)
    proxy.prepare_files([ROUTE])
    await proxy.switch("shop", Colour.BLUE, ACTIVE)
    return proxy


def all_agree(proxy: HAProxy, sockets: HAProxySockets) -> None:
    """Memory, files and worker: the active one answers, and failover knows the standby's address."""
    assert proxy.route("shop") == ROUTE
    assert proxy.colour_in_file("shop") is Colour.BLUE
    assert proxy.server_in_file("shop", Colour.BLUE) == ACTIVE
    assert proxy.server_in_file("shop", Colour.GREEN) is None
    assert sockets.maps[TRAFFIC_MAP] == {"shop": "app_1_blue"}
    assert sockets.state("app_1_blue") == {"app_1_blue/app": str(ACTIVE)}


@contextmanager
def unwritable(path: Path) -> Iterator[None]:
    """The file cannot be replaced."""
    obstacle = path.with_name(f"{path.name}.new")
    obstacle.mkdir()
    yield
    obstacle.rmdir()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", CHANGES)
async def test_at_any_exchange_memory_and_files_stay_and_the_opposite_brings_all_together(
    tmp_path: Path, name: str, after: bool
) -> None:
    number = 0
    while True:
        folder = tmp_path / str(number)
        folder.mkdir()
        async with HAProxySockets(folder) as sockets:
            proxy = await prepared(sockets)
            before = files_of(folder)
            sockets.fail_at(number, after=after)
            try:
                await CHANGES[name](proxy)
            except ProxyError:
                assert proxy.route("shop") == ROUTE, number
                assert files_of(folder) == before, number
                await proxy.switch("shop", Colour.BLUE, ACTIVE)
                all_agree(proxy, sockets)
            else:
                asked = sockets.exchanges
                if number == len(asked) > 0:
                    break
                assert asked[number] == asked[number + 1], f"exchange {number} failed, and nobody was told"
        number += 1


@pytest.mark.parametrize("file", ["haproxy.cfg", "traffic.map"])
async def test_a_file_that_cannot_be_written_leaves_all_as_it_was(tmp_path: Path, file: str) -> None:
    async with HAProxySockets(tmp_path) as sockets:
        proxy = await prepared(sockets)
        before = files_of(tmp_path)

        with unwritable(tmp_path / file), pytest.raises(ProxyError, match="cannot be written"):
            await proxy.switch("shop", Colour.GREEN, CANDIDATE)

        assert proxy.route("shop") == ROUTE
        assert files_of(tmp_path) == before
        await proxy.switch("shop", Colour.BLUE, ACTIVE)
        all_agree(proxy, sockets)


async def test_going_back_that_fails_is_still_failed_over_and_can_be_asked_for_again(tmp_path: Path) -> None:
    """Otherwise the standby would be paused while it has the traffic."""
    async with HAProxySockets(tmp_path) as sockets:
        proxy = await prepared(sockets)
        await proxy.fail_over("shop", Colour.BLUE)
        sockets.fail_at(0, after=False)

        with pytest.raises(ProxyError):
            await proxy.go_back("shop")

        assert proxy.route("shop").failed_over
        assert sockets.state("app_1_blue") == {"app_1_blue/fallback": str(STANDBY)}
        await proxy.go_back("shop")
        all_agree(proxy, sockets)

"""A busy app is not a dead one: bursts of new connections, limits, and what was in flight at a crash."""

from __future__ import annotations

import asyncio
import itertools
import socket
import statistics
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from orchestrator.domain.colour import Colour
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute, Server
from tests.support.images import build_image
from tests.support.proxy_container import ProxyContainer, gateway
from tests.support.results import keep_result
from tests.support.small_server import SmallServer, burst

ALWAYS = {(128, 1, 200), (128, 4, 400)}
TABLE = itertools.product((5, 128), (1, 4), (50, 200, 400, 1000))
WAYS = ("without us", "with standby", "without standby")
ROUNDS = 5


@pytest.fixture(scope="module", autouse=True)
def image() -> None:
    build_image("proxy")


@pytest.fixture
def container(tmp_path: Path) -> Iterator[ProxyContainer]:
    with ProxyContainer(_folder(tmp_path / "proxy")) as container:
        yield container


def started(container: ProxyContainer, route: AppRoute) -> HAProxy:
    proxy = HAProxy(container.folder, 1)
    proxy.prepare_files([route])
    container.start()
    return proxy


def route_to(server: SmallServer, standby: SmallServer | None = None, **keys: object) -> AppRoute:
    servers = {Colour.BLUE: Server(server.address, server.port)}
    if standby:
        servers[Colour.GREEN] = Server(standby.address, standby.port)
    return AppRoute("one", default=True, active=Colour.BLUE, servers=servers, **keys)  # type: ignore[arg-type]


@pytest.mark.alone
@pytest.mark.parametrize(
    ("backlog", "threads", "size"),
    [pytest.param(*row, marks=() if row in ALWAYS else pytest.mark.soak) for row in TABLE],
)
@pytest.mark.timeout(2400)
async def test_a_burst_gets_as_many_good_answers_as_without_a_proxy_and_none_of_another_release(
    tmp_path: Path, backlog: int, threads: int, size: int, soak: bool, rounds: int
) -> None:
    """In each round without a proxy, through one that knows a standby, and through one that knows none."""
    address = gateway()
    good: dict[str, list[int]] = {way: [] for way in WAYS}
    with ExitStack() as stack:
        server = stack.enter_context(SmallServer("good", address, backlog, threads))
        standby = stack.enter_context(SmallServer("other", address))
        ports = {"without us": (address, server.port)}
        for way, other in (("with standby", standby), ("without standby", None)):
            container = stack.enter_context(ProxyContainer(_folder(tmp_path / way.replace(" ", "-"))))
            started(container, route_to(server, other))
            ports[way] = ("127.0.0.1", container.port)
        for _ in range(rounds or (ROUNDS if soak else 1)):
            for way in WAYS:
                await _until_idle(address, server.port)
                answers = await burst(size, *ports[way])
                good[way].append(answers["good"])
                print(f"{backlog}-{threads}-{size} {way}: {dict(answers)}")
                # Without us there are resets, too: the promise is about our way.
                assert way == "without us" or set(answers) <= {"good", "TimeoutError"}, answers

    if soak:
        keep_result("burst", backlog=backlog, threads=threads, size=size, good=good)
    medians = {way: statistics.median(counts) for way, counts in good.items()}
    assert min(medians["with standby"], medians["without standby"]) >= medians["without us"], good


def _folder(path: Path) -> Path:
    path.mkdir()
    path.chmod(0o1777)
    return path


async def _until_idle(address: str, port: int) -> None:
    """Until the server has gone through what clients of the burst before have given up."""
    while (await burst(1, address, port))["good"] == 0:
        continue


async def test_eight_clients_that_go_on_asking_a_single_thread_with_a_short_queue_get_good_answers_alone(
    container: ProxyContainer,
) -> None:
    """532 of 678 answers were 503, because a full queue of the kernel was taken for a container that is gone."""

    async def asks(port: int) -> Counter[str]:
        answers: Counter[str] = Counter()
        for _ in range(20):
            answers += await burst(1, "127.0.0.1", port)
        return answers

    address = gateway()
    with SmallServer("good", address, backlog=5) as server, SmallServer("other", address) as other:
        started(container, route_to(server, other))
        each = await asyncio.gather(*(asks(container.port) for _ in range(8)))

    assert sum(each, Counter[str]()) == {"good": 160}


async def test_a_limit_of_connections_lets_the_others_wait(container: ProxyContainer) -> None:
    address = gateway()
    with SmallServer("good", address, threads=16) as server:
        proxy = started(container, route_to(server))

        assert (await burst(30, "127.0.0.1", container.port))["good"] == 30
        without = int(container.get().text.split()[1])
    with SmallServer("good", address, threads=16) as server:
        await proxy.configure([route_to(server, max_connections=2)])
        await proxy.switch("one", Colour.BLUE, Server(address, server.port))

        assert (await burst(30, "127.0.0.1", container.port))["good"] == 30
        assert int(container.get().text.split()[1]) <= 2 < without
        await proxy.configure([route_to(server)])
        assert (await burst(30, "127.0.0.1", container.port))["good"] == 30
        assert int(container.get().text.split()[1]) > 2


@pytest.mark.parametrize(
    ("retry", "method", "status"),
    [((), "GET", 502), (("GET",), "GET", 200), (("GET",), "POST", 502), (("GET", "PUT"), "PUT", 200)],
)
async def test_what_was_in_flight_at_a_crash_is_sent_again_only_where_it_is_allowed(
    container: ProxyContainer, retry: tuple[str, ...], method: str, status: int
) -> None:
    with SmallServer("good", gateway(), crashes=1) as server, SmallServer("probed", gateway()) as probed:
        proxy = started(container, route_to(probed))
        await proxy.configure([route_to(probed, retry=retry)])
        await proxy.switch("one", Colour.BLUE, Server(server.address, server.port))

        answer = await asyncio.to_thread(httpx.request, method, f"http://127.0.0.1:{container.port}/", timeout=10)

        assert answer.status_code == status
        assert container.get().text.startswith("good")


async def test_what_is_sent_again_to_the_standby_counts_as_its_answers(container: ProxyContainer) -> None:
    address = gateway()
    with socket.create_server((address, 0)) as app, SmallServer("other", address) as other:
        proxy = started(container, route_to(other, other))
        await proxy.configure([route_to(other, other, retry=("GET",))])
        await proxy.switch("one", Colour.BLUE, Server(*app.getsockname()[:2]))
        asked = asyncio.create_task(burst(5, "127.0.0.1", container.port))
        in_hand = [(await asyncio.to_thread(app.accept))[0] for _ in range(5)]
        await asyncio.to_thread(in_hand[-1].recv, 1)

        app.close()
        for connection in in_hand:
            connection.close()
        await asyncio.sleep(0.1)
        await proxy.fail_over("one", Colour.BLUE)

        assert await asked == {"other": 5}
        assert await proxy.answers_of_standby("one") == 5
        await proxy.switch("one", Colour.GREEN, Server(other.address, other.port))
        assert await proxy.answers_of_standby("one") == 5, "nor are they forgotten by a switch, which ends a failover"

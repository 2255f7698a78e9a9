"""What the proxy promises, shown on a real HAProxy alone."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy import backends, durable_file
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.proxy_files import ProxyFiles
from orchestrator.proxy.routes import AppRoute, Server
from orchestrator.proxy.runtime import CommandSocket, Runtime
from tests.support.app_server import AppServer
from tests.support.proxy_container import Asking, ProxyContainer, gateway

APPS = ("one", "two", "three", "four", "five")
SPARE = len(APPS) + 2
BEFORE_HOUSE = Path(__file__).parents[1] / "support" / "proxy_before_house"


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Server]]:
    """A server for each app, and a second one, its green."""
    address = gateway()
    with ExitStack() as stack:
        names = [*APPS, *(f"{app}-green" for app in APPS)]
        yield {name: stack.enter_context(AppServer(name, address)).server for name in names}


def live(app: str, servers: dict[str, Server], **ways: str | bool | tuple[str, ...]) -> AppRoute:
    return AppRoute(app, active=Colour.BLUE, servers={Colour.BLUE: servers[app]}, **ways)  # type: ignore[arg-type]


def started(container: ProxyContainer, routes: list[AppRoute], spare: int = SPARE) -> HAProxy:
    proxy = HAProxy(container.folder, spare)
    proxy.prepare_files(routes)
    container.start()
    return proxy


async def worker(folder: Path) -> str:
    return (await Runtime(folder).about())["Pid"]


def model(routes: list[AppRoute], host: str, path: str) -> str | None:
    """Which app gets a request: by host and path, then by path alone, by the longest prefix, then the default."""
    bare = host.partition(":")[0].lower().rstrip(".")
    fitting = [r for r in routes if not r.path or path == r.path or path.startswith(f"{r.path}/")]
    for found in ([r for r in fitting if bare in r.hosts], [r for r in fitting if r.path and not r.hosts]):
        if found:
            return max(found, key=lambda route: len(route.path or "")).app
    return next((route.app for route in routes if route.default), None)


def test_host_and_path_come_before_path_and_path_before_the_default_app(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    routes = [
        live("one", servers, default=True),
        live("two", servers, hosts=("two.test",)),
        live("three", servers, path="/shop"),
        live("four", servers, path="/shop/deep"),
    ]
    started(container, routes)

    assert container.get("/shop", "TWO.test:8080").text == "two"
    assert container.get("/shop").text == "three"
    assert container.get("/shop/x?y=/shop/deep").text == "three"
    assert container.get("/shopping").text == "one"
    assert container.get("/shop/deep").text == "four"
    assert container.get("/shop/deep/x").text == "four"
    assert container.get("/shop/deeper").text == "three"
    assert container.get("/").text == "one"
    assert _options_asterisk(container).endswith("one")


def _options_asterisk(container: ProxyContainer) -> str:
    with socket.create_connection(("127.0.0.1", container.port)) as connection:
        connection.sendall(b"OPTIONS * HTTP/1.1\r\nhost: other.test\r\nconnection: close\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(4096), b"")).decode()


SEGMENTS = st.lists(st.sampled_from(["a", "ab", "b", "a-b"]), min_size=1, max_size=3)
PATHS = SEGMENTS.map(lambda parts: "/" + "/".join(parts))
HOSTS = st.sampled_from(["x.test", "y.test", "z.test"])


@st.composite
def routings(draw: st.DrawFn) -> list[AppRoute]:
    """Some apps without servers; no way leads to two of them, as the configuration sees to it."""
    apps = draw(st.lists(st.sampled_from(APPS), unique=True))
    default = draw(st.none() | st.sampled_from(APPS))
    routes: list[AppRoute] = []
    claimed: set[tuple[str | None, str | None]] = set()
    for app in apps:
        hosts, path = draw(st.lists(HOSTS, unique=True, max_size=2)), draw(st.none() | PATHS)
        ways: set[tuple[str | None, str | None]] = {(host, path) for host in hosts} or {(None, path)}
        if not claimed & ways:
            claimed |= ways
            routes.append(AppRoute(app, tuple(hosts), path, app == default))
    return routes


def test_any_routes_lead_where_the_model_says_and_change_without_a_reload(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    proxy = started(container, [])
    before = asyncio.run(worker(container.folder))
    requests = st.lists(
        st.tuples(st.sampled_from(["x.test", "Y.TEST", "z.test.:81", "other.test"]), PATHS | st.just("/")),
        min_size=1,
        max_size=8,
    )

    with asyncio.Runner() as runner:

        @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
        @given(routings(), requests)
        def holds(ways: list[AppRoute], asked: list[tuple[str, str]]) -> None:
            routes = [replace(way, active=Colour.BLUE, servers={Colour.BLUE: servers[way.app]}) for way in ways]
            assert runner.run(proxy.configure(routes)) is False
            # Few of the paths that are drawn are those of an app.
            its_own = [(host, way.path or "/") for way in ways for host in ("other.test", *way.hosts)]
            for host, path in [*asked, *its_own]:
                answer = container.get(path, host)
                assert (answer.text if answer.is_success else None) == model(routes, host, path), (host, path)

        holds()
        assert runner.run(worker(container.folder)) == before


async def test_apps_come_change_and_go_without_a_reload_or_a_failed_request(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    one = live("one", servers, default=True)
    proxy = started(container, [one])
    before = await worker(container.folder)

    with Asking(container) as others:
        for turn in range(8):
            two = live("two", servers, hosts=(f"two-{turn}.test",))
            assert await proxy.configure([one, two]) is False
            with Asking(container, "/two", f"two-{turn}.test", clients=2) as its_own:
                # The same client is led to the app by its host, by the path of the host, and then by the path.
                assert await proxy.configure([one, replace(two, path="/two")]) is False
                assert await proxy.configure([one, replace(two, hosts=(), path="/two")]) is False
                assert await proxy.configure([one, replace(two, path="/two")]) is False
            assert its_own.failures == []
            assert {who for _, who in its_own.answers} == {"two"}
            assert await proxy.configure([one]) is False
            assert container.get("/two", f"two-{turn}.test").text == "one"

    assert others.failures == []
    assert {who for _, who in others.answers} == {"one"}
    assert await worker(container.folder) == before


async def test_only_what_the_spare_backends_do_not_take_reloads(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    routes = [live(app, servers, path=f"/{app}") for app in APPS]
    proxy = started(container, routes[:1], spare=2)
    before = await worker(container.folder)

    with Asking(container, "/one") as asking:
        assert await proxy.configure(routes[:3]) is False
        assert await worker(container.folder) == before
        assert await proxy.configure(routes[:4]) is True
        assert await worker(container.folder) != before
        assert await proxy.configure(routes) is False

    assert asking.failures == []
    assert [container.get(f"/{app}/x").text for app in APPS] == list(APPS)


async def test_a_configuration_that_was_written_and_not_taken_is_taken_by_the_next_orchestrator(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    """Killed between the file and the reload: the running worker is asked what it has, not the file."""
    routes = [live(app, servers, path=f"/{app}") for app in APPS[:3]]
    started(container, routes[:1], spare=1)
    ProxyFiles(container.folder).write_all(routes, {"one": 1, "two": 2, "three": 3}, 1)

    after = HAProxy(container.folder, 1)
    after.prepare_files(routes)

    assert await after.lacks_backends()
    assert await after.configure(routes) is True
    assert container.get("/three").text == "three"


async def test_a_switch_is_atomic_and_fails_no_request(container: ProxyContainer, servers: dict[str, Server]) -> None:
    proxy = started(container, [live("one", servers, default=True)])
    switched: list[tuple[float, str]] = []

    with Asking(container) as asking:
        for turn in range(20):
            colour = Colour.GREEN if turn % 2 == 0 else Colour.BLUE
            name = "one-green" if colour is Colour.GREEN else "one"
            await proxy.switch("one", colour, servers[name])
            switched.append((time.monotonic(), name))
            await proxy.confirm("one", colour, "/")
            assert proxy.colour_in_file("one") is colour
            await asyncio.sleep(0.05)

    assert asking.failures == []
    ends = [moment for moment, _ in switched[1:]]
    for began, who in asking.answers:
        for (since, name), until in zip(switched, ends, strict=False):
            # Between one acknowledged switch and the next one asked for, which is 50 ms later, nobody else answers.
            if since < began < min(until, since + 0.045):
                assert who == name


async def test_the_standby_answers_what_waits_for_a_container_that_is_gone_once_it_is_told_to(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    gone = Server(servers["one"].address, 9)
    both = {Colour.BLUE: servers["one"], Colour.GREEN: servers["one-green"]}
    route = AppRoute("one", default=True, active=Colour.BLUE, servers=both)
    proxy = started(container, [route])
    await proxy.switch("one", Colour.BLUE, gone)
    answers: list[str] = []
    waiting = [threading.Thread(target=lambda: answers.append(container.get().text)) for _ in range(10)]

    for client in waiting:
        client.start()
    await asyncio.sleep(0.3)
    assert answers == []
    began = time.monotonic()
    await proxy.fail_over("one", Colour.BLUE)
    for client in waiting:
        await asyncio.to_thread(client.join, 5)

    assert answers == ["one-green"] * 10
    assert time.monotonic() - began < 2
    for colour in Colour:
        assert (await proxy.ask_colour("one", colour, "/", 5)).text == "one-green"
    assert await proxy.answers_of_standby("one") == 11, "what is asked for the standby's own colour does not count"
    assert await proxy.configure([route]) is False
    assert container.get().text == "one-green"
    container.restart()
    assert container.get().text == "one-green"
    assert (await proxy.ask_colour("one", Colour.GREEN, "/", 5)).text == "one-green"
    await proxy.switch("one", Colour.BLUE, servers["one"])
    assert [container.get().text for _ in range(4)] == ["one"] * 4


async def test_the_traffic_goes_back_to_the_active_container_and_the_standby_gets_nothing_more(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    both = {Colour.BLUE: servers["one"], Colour.GREEN: servers["one-green"]}
    proxy = started(container, [AppRoute("one", default=True, active=Colour.BLUE, servers=both)])

    with Asking(container) as asking:
        for _ in range(5):
            await proxy.fail_over("one", Colour.BLUE)
            assert container.get().text == "one-green"
            await proxy.go_back("one")
            assert container.get().text == "one"
    assert asking.failures == []
    await proxy.rest("one", Colour.GREEN)
    assert await proxy.sessions("one", Colour.GREEN) == 0
    with pytest.raises(ProxyError, match="cannot fail over"):
        await proxy.fail_over("one", Colour.GREEN)


async def test_a_server_that_rests_keeps_no_idle_connection(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    """A container that is paused cannot close its side of one: the first request after it is woken would get it."""
    both = {Colour.BLUE: servers["one"], Colour.GREEN: servers["one-green"]}
    proxy = started(container, [AppRoute("one", default=True, active=Colour.BLUE, servers=both)])

    async def idle(colour: Colour) -> int:
        listing = await Runtime(container.folder).worker.ask(f"show servers conn {backends.backend(1, colour)}")
        heading, *rows = (line.removeprefix("# ").split() for line in listing.splitlines() if line)
        column = heading.index("idle_cur")
        return sum(int(row[column]) for row in rows)

    assert container.get().text == "one"
    await proxy.switch("one", Colour.GREEN, servers["one-green"])
    await proxy.rest("one", Colour.BLUE)
    assert await idle(Colour.BLUE) == 0


async def test_a_preview_is_reached_by_the_orchestrator_alone(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    proxy = started(container, [live("one", servers, default=True)])

    await proxy.preview("one", servers["one-green"])

    assert (await proxy.ask_preview("one", "/", 5)).text == "one-green"
    assert container.get("/").text == "one"
    await proxy.end_preview("one")
    assert (await proxy.ask_preview("one", "/", 5)).status_code == 503


async def test_paused_requests_wait_also_over_a_restart_and_are_served_when_resumed(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    proxy = started(container, [live("one", servers, default=True), live("two", servers, hosts=("two.test",))])
    answers: list[str] = []
    waiting = [threading.Thread(target=lambda: answers.append(container.get().text)) for _ in range(10)]

    await proxy.pause("one", 30)
    for client in waiting:
        client.start()
    await asyncio.sleep(0.3)

    assert answers == []
    assert container.get("/", "two.test").text == "two"
    assert await proxy.paused() == {"one"}
    await proxy.resume("one")
    for client in waiting:
        await asyncio.to_thread(client.join, 5)
    assert answers == ["one"] * 10
    assert await proxy.paused() == set()

    await proxy.pause("one", 0.2)
    container.restart()
    answer = container.get()
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert "Paused" in answer.text


async def test_numbers_outlive_orchestrator_and_proxy(container: ProxyContainer, servers: dict[str, Server]) -> None:
    routes = [live(app, servers, path=f"/{app}") for app in APPS[:3]]
    proxy = started(container, routes)
    await proxy.configure(routes[1:])
    numbers = dict(proxy._numbers)

    again = HAProxy(container.folder, SPARE)
    # In another order, and with a new one first.
    again.prepare_files([live("four", servers, path="/four"), *reversed(routes[1:])])
    await again.configure([live("four", servers, path="/four"), *reversed(routes[1:])])
    container.restart()

    assert {app: again._numbers[app] for app in numbers} == numbers
    assert again._numbers["four"] not in (1, *numbers.values())
    assert [container.get(f"/{app}").text for app in ("two", "three", "four")] == ["two", "three", "four"]
    (container.folder / "backends.map").unlink()
    rebuilt = HAProxy(container.folder, SPARE)
    rebuilt.know([live(app, servers) for app in ("four", "three", "two")])
    assert rebuilt._numbers == again._numbers


# The upgrade from the version before numbered backends


def old_files(folder: Path, servers: dict[str, Server]) -> list[AppRoute]:
    text = (BEFORE_HOUSE / "haproxy.cfg").read_text()
    panel, shop = servers["one"], servers["two"]
    text = text.replace("ADDRESS:7777", str(panel)).replace("ADDRESS:8888", str(shop))
    (folder / "haproxy.cfg").write_text(text)
    (folder / "active.map").write_text("panel panel_green\nshop shop_blue\n")
    (folder / "hold.map").write_text("shop 30000\n")
    return [
        AppRoute("panel", default=True, active=Colour.GREEN, servers={Colour.GREEN: panel}),
        AppRoute("shop", hosts=("shop.test",), active=Colour.BLUE, servers={Colour.BLUE: shop}),
    ]


async def test_a_proxy_of_the_version_before_is_taken_over_with_its_paused_requests(
    folder: Path, servers: dict[str, Server]
) -> None:
    routes = old_files(folder, servers)
    answers: list[str] = []
    with ProxyContainer(folder, mounts={BEFORE_HOUSE: "/usr/local/share/changeover"}) as old:
        old.start()
        waiting = [threading.Thread(target=lambda: answers.append(old.get("/", "shop.test").text)) for _ in range(2)]
        waiting[0].start()
        proxy = HAProxy(folder, SPARE)
        proxy.prepare_files(routes)
        assert (proxy.colour_in_file("panel"), proxy.colour_in_file("shop")) == (Colour.GREEN, Colour.BLUE)
        with Asking(old) as asking:
            await asyncio.sleep(0.3)
            assert await proxy.lacks_backends()
            assert await proxy.configure(routes, deadline_s=5) is True
            waiting[1].start()
            await asyncio.sleep(0.3)
            assert answers == []
            assert await proxy.paused() == {"shop"}
            await proxy.resume("shop")
            for client in waiting:
                await asyncio.to_thread(client.join, 5)
            await proxy.switch("panel", Colour.BLUE, servers["one-green"])
            await asyncio.sleep(0.2)
        assert answers == ["two", "two"]
        assert asking.failures == []
        assert {who for _, who in asking.answers} == {"one", "one-green"}
        assert not (folder / "active.map").exists()
        assert durable_file.read_map(folder / "pause.map") == {}
        assert (proxy.colour_in_file("panel"), proxy.colour_in_file("shop")) == (Colour.BLUE, Colour.BLUE)


async def test_a_proxy_that_refuses_the_configuration_is_waited_for_until_it_is_replaced(
    folder: Path, servers: dict[str, Server], tmp_path: Path
) -> None:
    routes = old_files(folder, servers)
    clash = tmp_path / "clash.cfg"
    clash.write_text("backend app_1_blue\n    mode http\n")
    usual = "haproxy -W -S /run/changeover/master.sock,mode,666 -f /run/changeover/haproxy.cfg"
    refusing = ProxyContainer(
        folder,
        command=f"{usual} -f /clash.cfg".split(),
        mounts={BEFORE_HOUSE: "/usr/local/share/changeover", clash: "/clash.cfg"},
    )
    proxy = HAProxy(folder, SPARE)
    with refusing:
        refusing.start()
        proxy.prepare_files(routes)
        with pytest.raises(ProxyError, match="refused its new configuration"):
            await proxy.configure(routes)
        assert refusing.get().text == "one"
        under_way = asyncio.create_task(proxy.configure(routes, deadline_s=30))
        await asyncio.sleep(1)
        assert refusing.get().text == "one"
        await asyncio.to_thread(refusing.remove)
    with ProxyContainer(folder) as new:
        await asyncio.to_thread(new.start)
        await under_way
        assert new.get().text == "one"
        assert await proxy.paused() == {"shop"}
        await proxy.resume("shop")
        assert new.get("/", "shop.test").text == "two"


@pytest.mark.parametrize("written", ["all but the configuration", "everything"])
def test_a_proxy_of_the_version_before_that_crashes_in_the_upgrade_starts_with_either_files(
    folder: Path, servers: dict[str, Server], written: str
) -> None:
    routes = old_files(folder, servers)
    (folder / "hold.map").write_text("")
    before = (folder / "haproxy.cfg").read_text()
    with ProxyContainer(folder, mounts={BEFORE_HOUSE: "/usr/local/share/changeover"}) as old:
        old.start()
        ProxyFiles(folder).write_all(routes, {"panel": 1, "shop": 2}, SPARE)
        if written == "all but the configuration":
            (folder / "haproxy.cfg").write_text(before)

        old.restart()

        assert old.get().text == "one"
        assert old.get("/", "shop.test").text == "two"


async def test_the_proxy_says_where_requests_lead_without_asking_the_app(
    container: ProxyContainer, servers: dict[str, Server]
) -> None:
    one = live("one", servers, hosts=("one.test", "1.test"), path="/api")
    two, three = live("two", servers, hosts=("one.test",)), live("three", servers, path="/three")
    four, five = live("four", servers, default=True), live("five", servers)
    routes = [one, two, three, four, five]
    proxy = started(container, routes)
    await proxy.wait_until_up()
    await proxy.configure(routes)

    assert [await proxy.unreached(route.app) for route in routes] == [""] * len(routes)
    await proxy.pause("one", 60)
    assert await proxy.unreached("one") == "", "one that is paused is told as paused"

    runtime = CommandSocket(container.folder / "admin.sock")
    await runtime.ask("del map /run/changeover/ways.map 1.test/api/")
    assert await proxy.unreached("one") == "the proxy sends 1.test/api/ to another app, 'four'"
    await runtime.ask("del map /run/changeover/traffic.map two")
    assert "the proxy sends one.test/ to nobody, and not to" in await proxy.unreached("two")
    await runtime.ask("del map /run/changeover/paths.map /")
    assert await proxy.unreached("four") == "the proxy knows no app for /"

"""Connections from before a reload of HAProxy: each gets its own app's active release, or is closed.

The promise is that of all workers together, whatever happens to several apps after the reload.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.domain.colour import Colour
from orchestrator.domain.in_hand import InHand
from orchestrator.errors import ProxyError
from orchestrator.proxy import servers
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute, Server, TimeLimits
from orchestrator.proxy.runtime import Runtime
from tests.support.app_server import AppServer
from tests.support.kept import HANDSHAKE, Client, Opened
from tests.support.proxy_container import ProxyContainer, gateway

APPS = ("one", "two", "three")
RELOADS = 10
UPLOAD = b"0123456789"


@pytest.fixture
def releases() -> Iterator[dict[str, AppServer]]:
    """Two containers of each app, named `app-colour`."""
    address = gateway()
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(AppServer(name, address))
            for name in (f"{app}-{colour}" for app in APPS for colour in Colour)
        }


@pytest.fixture
def container(folder: Path) -> Iterator[ProxyContainer]:
    with ProxyContainer(folder) as container:
        yield container


def route(app: str, releases: dict[str, AppServer]) -> AppRoute:
    return AppRoute(
        app, hosts=(f"{app}.test",), active=Colour.BLUE, servers={Colour.BLUE: releases[f"{app}-blue"].server}
    )


def started(container: ProxyContainer, releases: dict[str, AppServer]) -> HAProxy:
    proxy = HAProxy(container.folder, 2)
    proxy.prepare_files([route(app, releases) for app in APPS])
    container.start()
    return proxy


async def reload(proxy: HAProxy) -> None:
    """A reload as `configure` makes one when no spare backend is left."""
    await proxy._running.reload()
    await proxy.configure([proxy.route(app) for app in APPS])


def who(answer: str) -> str:
    """The name at the end of an answer."""
    return answer.rpartition("\n")[2] if answer else ""


async def test_connections_of_ten_reloads_reach_the_active_release_of_their_own_app(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    proxy = started(container, releases)
    with ExitStack() as stack:
        opened: list[tuple[str, Opened]] = []
        for turn in range(RELOADS):
            for app in APPS:
                opened.append((f"{app}-{proxy.route(app).active}", Opened(container.port, app)))
                stack.callback(opened[-1][1].close)
            await reload(proxy)
            app = APPS[turn % len(APPS)]
            new = (proxy.route(app).active or Colour.BLUE).other
            await proxy.switch(app, new, releases[f"{app}-{new}"].server)
        assert len(await Runtime(container.folder).workers()) > RELOADS

        for began, connections in opened:
            active = f"{connections.app}-{proxy.route(connections.app).active}"
            answer = connections.idle.ask()
            assert who(answer) == active, answer
            assert "x-client: 127.0.0.1" in answer or "x-client: 172." in answer
            # What was begun is finished where it began.
            assert who(connections.finish_upload()) == began
            assert began in connections.stream.receive()
            assert connections.web_socket.go_on(b"?") == began
        assert sum(len(server.written) for server in releases.values()) == len(opened)


async def test_a_connection_from_before_a_reload_reaches_its_own_app_when_another_has_its_former_address(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    """The next app that was deployed got the freed address, and the other app's request with its cookies."""
    proxy = started(container, releases)
    with closing(Client(container.port, "one")) as idle:
        assert who(idle.ask()) == "one-blue"
        await reload(proxy)
        await proxy.switch("one", Colour.GREEN, releases["one-green"].server)
        await proxy.switch("two", Colour.GREEN, releases["one-blue"].server)

        assert who(idle.ask(more="cookie: session=of-one\r\n")) == "one-green"


async def test_a_connection_from_before_a_reload_gets_an_app_that_was_added_after_it(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    proxy = HAProxy(container.folder, 2)
    proxy.prepare_files([route("one", releases)])
    container.start()
    with closing(Client(container.port, "one")) as early:
        assert who(early.ask()) == "one-blue"
        await proxy._running.reload()
        await proxy.configure([route("one", releases), route("two", releases)])

        early.app = "two"
        assert who(early.ask()) == "two-blue"


async def test_a_pause_holds_and_a_cut_cuts_in_workers_from_before_a_reload(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    """The writer of the issue: it went on after the pause on a connection that could not be cut."""
    proxy = started(container, releases)
    written = releases["one-blue"].written
    with closing(Opened(container.port, "one")) as mine, closing(Opened(container.port, "two")) as others:
        await reload(proxy)

        await proxy.pause("one", 30)
        assert await proxy.sessions("one", Colour.BLUE) == 3
        await proxy.cut_sessions("one", Colour.BLUE)

        assert await proxy.sessions("one", Colour.BLUE) == 0
        answers: list[str] = []
        waiting = threading.Thread(
            target=lambda: answers.append(mine.idle.ask("POST", "/", "content-length: 1\r\n", b"x"))
        )
        waiting.start()
        await asyncio.sleep(0.3)
        assert (answers, written) == ([], [])
        assert mine.finish_upload() == ""
        assert mine.web_socket.go_on(b"?") == ""
        assert written == []
        assert others.web_socket.go_on(b"?") == "two-blue"
        assert who(others.finish_upload()) == "two-blue"

        await proxy.switch("one", Colour.GREEN, releases["one-green"].server)
        await proxy.resume("one")
        await asyncio.to_thread(waiting.join, 5)
        assert who(answers[0]) == "one-green"
        assert written == []


async def test_requests_that_wait_in_an_old_worker_are_resumed_there(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    proxy = started(container, releases)
    answers: list[str] = []
    with closing(Client(container.port, "one")) as client:
        assert who(client.ask()) == "one-blue"
        await proxy.pause("one", 30)
        waiting = threading.Thread(target=lambda: answers.append(client.ask()))
        waiting.start()
        await asyncio.sleep(0.2)
        await reload(proxy)
        await proxy.switch("one", Colour.GREEN, releases["one-green"].server)
        await asyncio.sleep(0.2)
        assert answers == []

        await proxy.resume("one")

        await asyncio.to_thread(waiting.join, 5)
        assert who(answers[0]) == "one-green"


async def test_no_command_fails_while_the_proxy_reloads(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    """A deployment drains, pauses and switches while others save the configuration."""
    proxy = started(container, releases)
    ended = asyncio.Event()

    async def reloads() -> None:
        for _ in range(RELOADS):
            await reload(proxy)
        ended.set()

    async def deployments() -> int:
        rounds = 0
        while not ended.is_set() or rounds < 5:
            await proxy.pause("one", 30)
            await proxy.sessions("one", Colour.BLUE)
            await proxy.cut_sessions("one", Colour.BLUE)
            colour = Colour.GREEN if rounds % 2 == 0 else Colour.BLUE
            await proxy.switch("one", colour, releases[f"one-{colour}"].server)
            await proxy.resume("one")
            await proxy.confirm("one", colour, "/")
            rounds += 1
        return rounds

    under_way = asyncio.create_task(deployments())
    await reloads()
    assert await under_way >= 5


async def test_a_reload_by_another_hand_is_noticed_by_the_next_command(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    proxy = started(container, releases)
    with closing(Client(container.port, "one")) as client:
        assert who(client.ask()) == "one-blue"
        await Runtime(container.folder).reload()

        await proxy.switch("one", Colour.GREEN, releases["one-green"].server)

        assert who(client.ask()) == "one-green"


async def test_a_proxy_that_stops_without_a_successor_serves_its_last_requests(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    proxy = started(container, releases)
    await reload(proxy)
    (container.folder / "haproxy.cfg").write_text("nonsense\n")
    with pytest.raises(ProxyError, match="refused its new configuration"):
        await proxy._running.reload()
    with closing(Client(container.port, "one")) as idle, closing(Client(container.port, "one")) as stream:
        assert who(idle.ask()) == "one-blue"
        stream.ask(path="/stream")

        container.stop_gently()
        await asyncio.sleep(0.3)

        assert who(idle.ask()) == "one-blue"


async def test_a_reload_and_a_restart_keep_the_candidate_of_an_app_that_is_being_verified(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    """A change of the configuration, of any app, may reload the proxy at any moment of a deployment."""
    proxy = started(container, releases)
    await proxy.preview("one", releases["one-green"].server)

    await proxy._running.reload()
    assert (await proxy.ask_preview("one", "/", 5)).text == "one-green"
    await proxy.configure([route(app, releases) for app in APPS])
    assert (await proxy.ask_preview("one", "/", 5)).text == "one-green"
    container.restart()
    assert (await proxy.ask_preview("one", "/", 5)).text == "one-green"

    await proxy.end_preview("one")
    assert (await proxy.ask_preview("one", "/", 5)).status_code == 503


async def test_an_address_that_an_old_worker_knows_is_in_use(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    proxy = started(container, releases)
    gone = Server("10.9.9.9", 80)
    await proxy.configure([replace(route("one", releases), servers={Colour.BLUE: releases["one-blue"].server})])
    await proxy.preview("one", gone)
    with closing(Client(container.port, "one")) as client:
        client.ask()
        await proxy._running.reload()
        await proxy.end_preview("one")
        await proxy.preview("one", releases["one-green"].server)
        known_to_current = await servers.states(Runtime(container.folder).worker)
        assert gone not in {state.server for state in known_to_current.values()}

        assert gone.address in await proxy.addresses()


async def test_what_is_under_way_is_counted_by_kind_in_all_workers_and_long_lived_connections_can_be_cut_alone(
    container: ProxyContainer, releases: dict[str, AppServer]
) -> None:
    proxy = started(container, releases)
    with ExitStack() as open_now:

        def begin(method: str, path: str, more: str = "", body: bytes = b"") -> Client:
            client = open_now.enter_context(closing(Client(container.port, "one")))
            client.send(method, path, more, body)
            return client

        begin("GET", "/socket", HANDSHAKE).receive()
        await reload(proxy)
        begin("GET", "/socket", HANDSHAKE).receive()
        begin("GET", "/stream").receive()
        begin("GET", "/old-stream").receive()
        upload = begin("POST", "/", "content-length: 20\r\n", UPLOAD)
        before = await _until(proxy, InHand(uploads=1, streams=2, websockets=2))

        cut = await proxy.cut_long_lived("one", Colour.BLUE, older_than_s=-1)
        left = await _until(proxy, InHand(uploads=1))
        upload._connection.sendall(UPLOAD)

        assert before == InHand(uploads=1, streams=2, websockets=2)
        assert cut == InHand(streams=2, websockets=2)
        assert left == InHand(uploads=1)
        assert "one-blue" in upload.receive()


async def _until(proxy: HAProxy, wanted: InHand) -> InHand:
    """What app `one` has in hand when it is what is wanted, or after a few seconds."""
    found = InHand()
    for _ in range(100):
        found = await proxy.in_hand("one", Colour.BLUE)
        if found == wanted:
            break
        await asyncio.sleep(0.05)
    return found


async def test_an_app_has_time_limits_of_its_own(container: ProxyContainer, releases: dict[str, AppServer]) -> None:
    """App `one` gets them without a reload; app `two` keeps those of everybody."""
    proxy = started(container, releases)
    with ExitStack() as open_now:
        silent = open_now.enter_context(closing(socket.socket()))
        silent.bind((gateway(), 0))
        silent.listen(10)
        nobody = Server(*silent.getsockname())
        limited = replace(route("one", releases), servers={Colour.BLUE: nobody}, time_limits=TimeLimits(0.3, 0.4, 0.5))
        await proxy.configure([limited, route("two", releases), route("three", releases)])
        await proxy.switch("one", Colour.BLUE, nobody)
        waits = open_now.enter_context(closing(Client(container.port, "one")))
        uploads = open_now.enter_context(closing(Client(container.port, "one")))
        goes_on = open_now.enter_context(closing(Client(container.port, "two")))

        waits.send("GET", "/")
        uploads.send("POST", "/", "content-length: 20\r\n", UPLOAD)
        goes_on.send("POST", "/", "content-length: 20\r\n", UPLOAD)
        no_answer, no_upload = await asyncio.to_thread(waits.receive), await asyncio.to_thread(uploads.receive)
        await proxy.switch("one", Colour.BLUE, releases["one-blue"].server)
        talks = open_now.enter_context(closing(Client(container.port, "one")))
        talks.send("GET", "/socket", HANDSHAKE)
        shaken = talks.receive()
        ended = await asyncio.to_thread(talks.receive)
        goes_on._connection.sendall(UPLOAD)

        assert " 504 " in no_answer
        assert " 400 " in no_upload
        assert " 101 " in shaken
        assert ended == ""
        assert "two-blue" in goes_on.receive()

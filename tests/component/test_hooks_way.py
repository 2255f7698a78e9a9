"""Which requests reach the socket of the hooks, and that they wait for it: on a real HAProxy alone."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from orchestrator.api import hook_socket
from orchestrator.config.schema import PANEL_HOSTS
from orchestrator.proxy.hooks_way import AT_ONCE, LONG_AT_ONCE
from orchestrator.proxy.routes import AppRoute
from tests.support.proxy_container import ProxyContainer
from tests.support.routed_proxy import routed_proxy

WAYS = {
    "panel": AppRoute("panel", hosts=PANEL_HOSTS),
    "shop": AppRoute("shop", hosts=("shop.test",)),
    "every": AppRoute("every", path="/v1", default=True),
}


class Listener:
    """Listens at the socket in a folder, as the orchestrator does: says how many were with it at the same time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self.now = self.most = 0
        self.bodies: list[bytes] = []

    def __enter__(self) -> Listener:
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._task.cancel)
        self._thread.join()

    def _run(self) -> None:
        self._task = self._loop.create_task(hook_socket.serve(self._hooks, self._folder))
        self._loop.run_until_complete(asyncio.wait([self._task]))

    async def _hooks(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        self.bodies.append(body + message.get("body", b""))
        await asyncio.sleep(0.02)
        said = dict(scope["headers"])
        content = b"hooks " + scope["path"].encode() + b" " + said.get(b"cookie", b"no cookie")
        await send({"type": "http.response.start", "status": 202, "headers": [(b"x-for", said[b"x-forwarded-for"])]})
        await send({"type": "http.response.body", "body": content})
        self.now -= 1


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyContainer]:
    with routed_proxy(tmp_path_factory.mktemp("proxy"), WAYS) as container:
        yield container


def post(container: ProxyContainer, path: str, host: str = "127.0.0.1", **more: object) -> httpx.Response:
    url = f"http://127.0.0.1:{container.port}{path}"
    headers = {"host": host, "cookie": "changeover_session=stolen", "x-forwarded-for": "198.51.100.1"}
    return httpx.post(url, headers=headers, timeout=20, verify=False, **more)  # type: ignore[arg-type]


def test_hooks_are_reached_at_the_panels_hosts_alone(container: ProxyContainer) -> None:
    with Listener(container.folder):
        for host in PANEL_HOSTS:
            answer = post(container, "/v1/hooks/shop/github", host)
            assert answer.text == "hooks /v1/hooks/shop/github no cookie"
            assert answer.headers["x-for"] not in ("", "198.51.100.1")
        assert container.get("/v1/hooks/shop/github", "shop.test").text == "shop"
        assert container.get("/v1/hooks/shop/github", "other.test").text == "every"
        for path in ("/v1/status", "/v1/hooks", "/v1/hooksx/", "/x/v1/hooks/shop/github", "/V1/hooks/shop/github"):
            assert container.get(path, "127.0.0.1").text == "panel"


def test_a_push_waits_until_somebody_listens(container: ProxyContainer) -> None:
    with ThreadPoolExecutor(40) as threads:
        asked = [threads.submit(post, container, "/v1/hooks/shop/github", content=b"x" * 1000) for _ in range(40)]
        time.sleep(3)
        with Listener(container.folder) as listener:
            answers = [one.result().status_code for one in asked]

    assert answers == [202] * 40
    assert len(listener.bodies) == 40
    assert listener.most <= AT_ONCE


def test_a_push_that_nobody_takes_is_refused_before_the_forge_gives_up(container: ProxyContainer) -> None:
    began = time.monotonic()
    answer = post(container, "/v1/hooks/shop/github")

    assert answer.status_code == 503
    assert time.monotonic() - began < 10


def test_a_large_body_arrives_whole(container: ProxyContainer) -> None:
    body = bytes(range(256)) * 8192
    with Listener(container.folder) as listener:
        assert post(container, "/v1/hooks/shop/github", content=body).status_code == 202
    assert listener.bodies == [body]


class SlowBody:
    """A stranger, who sends the begin of a long body and then next to nothing."""

    def __init__(self, container: ProxyContainer) -> None:
        self._socket = socket.create_connection(("127.0.0.1", container.port))
        head = f"POST /v1/hooks/shop/github HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {20 * 2**20}\r\n\r\n"
        self._socket.sendall(head.encode() + b"x" * 100_000)

    def __enter__(self) -> SlowBody:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()


def test_strangers_with_slow_bodies_keep_no_push_waiting(container: ProxyContainer) -> None:
    with Listener(container.folder) as listener, ExitStack() as strangers:
        for _ in range(2 * AT_ONCE):
            strangers.enter_context(SlowBody(container))
        deadline = time.monotonic() + 5
        while listener.now < LONG_AT_ONCE and time.monotonic() < deadline:
            time.sleep(0.05)
        assert listener.now == LONG_AT_ONCE

        began = time.monotonic()
        answer = post(container, "/v1/hooks/shop/github", content=b"x" * 50_000)
        took_s = time.monotonic() - began

    assert answer.status_code == 202
    assert took_s < 3


def test_nobody_but_a_push_waits_for_the_orchestrator(container: ProxyContainer) -> None:
    began = time.monotonic()
    answer = container.get("/v1/hooks/shop/github", "127.0.0.1")

    assert answer.status_code == 503
    assert time.monotonic() - began < 3

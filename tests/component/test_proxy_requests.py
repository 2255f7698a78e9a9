"""What of a client's request reaches its app, and what the app sees: on a real HAProxy alone."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from orchestrator.config.schema import PANEL_HOSTS
from orchestrator.domain.colour import Colour
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute
from tests.support.app_server import AppServer
from tests.support.images import build_image
from tests.support.proxy_container import ProxyContainer, gateway

# Python's own servers refuse more than 100 headers; what is tested is the proxy.
http.client._MAXHEADERS = 2000  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyContainer]:
    build_image("proxy")
    folder: Path = tmp_path_factory.mktemp("proxy")
    folder.chmod(0o1777)
    ways = {
        "panel": AppRoute("panel", hosts=PANEL_HOSTS),
        "shop": AppRoute("shop", hosts=("shop.test",), probe_host="shop.test"),
        "api": AppRoute("api", hosts=("shop.test",), path="/api", strip_path=True),
        "whole": AppRoute("whole", hosts=("shop.test",), path="/whole"),
    }
    with ProxyContainer(folder) as container:
        address = gateway()
        servers = [AppServer(app, address) for app in ways]
        try:
            routes = []
            for server, route in zip(servers, ways.values(), strict=True):
                server.__enter__()
                routes.append(replace(route, active=Colour.BLUE, servers={Colour.BLUE: server.server}))
            HAProxy(folder, 1).prepare_files(routes)
            container.start()
            yield container
        finally:
            for server in servers:
                server.__exit__(None, None, None)


def get(container: ProxyContainer, path: str, headers: list[tuple[str, str]]) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{container.port}{path}", headers=headers, timeout=10, verify=False)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:9999", "[::1]:8080", "LOCALHOST", "localhost.:80", "[::1]"])
def test_the_panel_has_its_hosts_with_any_port_and_every_path(container: ProxyContainer, host: str) -> None:
    assert container.get("/", host).text == "panel"
    assert container.get("/api", host).text == "panel"


@pytest.mark.parametrize("host", ["shop.test", "Shop.TEST", "shop.test:8080", "shop.test.", "SHOP.test.:1"])
def test_a_host_is_the_same_in_capitals_with_a_port_and_with_a_dot_at_its_end(
    container: ProxyContainer, host: str
) -> None:
    assert container.get("/", host).text == "shop"
    assert container.get("/api/x", host).text == "api"


@pytest.mark.parametrize("host", ["other.test", "shop.test.evil", "xshop.test", ""])
def test_a_request_that_belongs_to_no_app_is_answered_with_404(container: ProxyContainer, host: str) -> None:
    answer = container.get("/api", host)

    assert (answer.status_code, answer.text) == (404, "No app is configured for this host and path.\n")


@pytest.mark.parametrize(
    ("asked", "received", "prefix"),
    [
        ("/api/headers", "/headers", "/api"),
        ("/api/x/headers?q=/api/", "/x/headers?q=/api/", "/api"),
        ("/whole/headers", "/whole/headers", None),
    ],
)
def test_a_path_is_stripped_only_where_it_is_asked_for(
    container: ProxyContainer, asked: str, received: str, prefix: str | None
) -> None:
    # The server answers requests whose path ends so; the query is part of what it sees.
    lines = container.get(asked.replace("?q=/api/", "?q=/headers"), "shop.test").text.splitlines()

    assert lines[0] == received.replace("?q=/api/", "?q=/headers")
    assert [line for line in lines if "prefix" in line] == ([f"x-forwarded-prefix: {prefix}"] if prefix else [])


def test_a_path_that_is_the_whole_prefix_becomes_the_root(container: ProxyContainer) -> None:
    assert container.get("/api", "shop.test").text == "api"
    assert container.get("/api?q=/headers", "shop.test").text.splitlines()[0] == "/?q=/headers"


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For", "X_Forwarded_For", "x-forwarded_for", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded",
        "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server", "X-Real-IP", "X_Real_IP", "X-Forwarded",
        "X-Changeover-App", "X-Changeover-Backend",
    ],
)  # fmt: skip
def test_what_strangers_say_of_themselves_does_not_reach_an_app(container: ProxyContainer, name: str) -> None:
    text = get(container, "/headers", [("host", "shop.test"), (name, "6.6.6.6"), (name, "evil")]).text.lower()

    assert "6.6.6.6" not in text
    assert "evil" not in text
    seen = dict(line.split(": ", 1) for line in text.splitlines()[1:] if ": " in line)
    assert seen["x-forwarded-for"] == seen["x-real-ip"]
    assert (seen["x-forwarded-proto"], seen["x-forwarded-host"]) == ("http", "shop.test")


def test_large_and_many_headers_arrive_in_both_directions(container: ProxyContainer) -> None:
    many = [(f"x-many-{number}", "y") for number in range(500)]
    large = [("x-long", "z" * 30_000)]

    first = get(container, "/headers", [("host", "shop.test"), *many])
    second = get(container, "/headers", [("host", "shop.test"), *large, ("x-large", "40000")])

    assert first.text.count("x-many-") == 500
    assert "z" * 30_000 in second.text
    assert len([name for name in second.headers if name.startswith("x-large-")]) == 40


async def test_our_own_requests_have_the_host_of_the_app(container: ProxyContainer) -> None:
    proxy = HAProxy(container.folder)
    proxy.know([AppRoute("shop", hosts=("shop.test",), active=Colour.BLUE, probe_host="shop.test")])

    answer = await proxy.ask("shop", "/headers")

    assert "host: shop.test" in answer.text.lower()

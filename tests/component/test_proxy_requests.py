"""What of a client's request reaches its app, and what the app sees: on a real HAProxy alone."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.config.schema import PANEL_HOSTS
from orchestrator.domain.colour import Colour
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute
from tests.support.proxy_container import ProxyContainer
from tests.support.routed_proxy import routed_proxy

# Python's own servers refuse more than 100 headers; what is tested is the proxy.
http.client._MAXHEADERS = 3000  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def container(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyContainer]:
    ways = {
        "panel": AppRoute("panel", hosts=PANEL_HOSTS),
        "shop": AppRoute("shop", hosts=("shop.test",), probe_host="shop.test"),
        "api": AppRoute("api", hosts=("shop.test",), path="/api", strip_path=True),
        "whole": AppRoute("whole", hosts=("shop.test",), path="/whole"),
    }
    with routed_proxy(tmp_path_factory.mktemp("proxy"), ways) as container:
        yield container


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


def test_many_headers_of_a_request_arrive(container: ProxyContainer) -> None:
    many = [(f"x-many-{number}", "y") for number in range(1900)]

    assert get(container, "/headers", [("host", "shop.test"), *many]).text.count("x-many-") == 1900


def test_large_headers_of_a_request_arrive(container: ProxyContainer) -> None:
    assert "z" * 30_000 in get(container, "/headers", [("host", "shop.test"), ("x-long", "z" * 30_000)]).text


def test_large_headers_of_an_answer_arrive(container: ProxyContainer) -> None:
    answer = get(container, "/headers", [("host", "shop.test"), ("x-large", "40000")])

    assert answer.status_code == 200
    assert len([name for name in answer.headers if name.startswith("x-large-")]) == 40


async def test_our_own_requests_have_the_host_of_the_app(container: ProxyContainer) -> None:
    proxy = HAProxy(container.folder)
    proxy.know([AppRoute("shop", hosts=("shop.test",), active=Colour.BLUE, probe_host="shop.test")])

    answer = await proxy.ask("shop", "/headers")

    assert "host: shop.test" in answer.text.lower()


OURS = st.sampled_from(["changeover_session", "__Host-changeover_session", "changeover_token"])
THEIRS = st.sampled_from(
    ["a", "session", "xchangeover_session", "changeover_sessions", "changeover", "Changeover_session", "__Host-a"]
)
VALUES = st.sampled_from(["", "1", "cs_secret", "changeover_session", "a=b", '"quoted"', "x" * 300])


@st.composite
def cookie_lines(draw: st.DrawFn) -> list[list[tuple[str, str, bool]]]:
    """Lines of cookies: name, value, and whether the cookie is the panel's."""
    cookie = st.one_of(st.tuples(OURS, VALUES, st.just(True)), st.tuples(THEIRS, VALUES, st.just(False)))
    return draw(st.lists(st.lists(cookie, min_size=1, max_size=5), min_size=1, max_size=2))


def test_an_app_gets_every_cookie_but_the_panels(container: ProxyContainer) -> None:
    @settings(max_examples=150, deadline=None)
    @given(cookie_lines(), st.sampled_from(["; ", ";"]))
    @example([[("changeover_session", "1", True)] * 5], "; ")
    def holds(lines: list[list[tuple[str, str, bool]]], separator: str) -> None:
        headers = [("cookie", separator.join(f"{name}={value}" for name, value, _ in line)) for line in lines]
        theirs = [f"{name}={value}" for line in lines for name, value, is_ours in line if not is_ours]

        at_shop = cookies_at(container, "shop.test", headers)

        assert not [one for one in at_shop if re.match(r"(__Host-)?changeover_(session|token)=", one)]
        assert cookies_at(container, "localhost", headers) == [
            f"{name}={value}" for one in lines for name, value, _ in one
        ]
        if max(sum(is_ours for *_, is_ours in line) for line in lines) <= 4:
            assert at_shop == theirs

    holds()


def cookies_at(container: ProxyContainer, host: str, headers: list[tuple[str, str]]) -> list[str]:
    received = get(container, "/headers", [("host", host), *headers]).text.splitlines()
    lines = [line.partition(":")[2] for line in received if line.lower().startswith("cookie:")]
    return [cookie for line in lines for one in line.split(";") if (cookie := one.strip())]


@pytest.mark.parametrize(
    ("sent", "arrives"),
    [
        ("changeover_session=1", None),
        ("a=1; changeover_session=1", "a=1"),
        ("changeover_session=1; a=1", "a=1"),
        ("a=1; changeover_token=2; b=2; __Host-changeover_session=3; c=3; changeover_session=1", "a=1; b=2; c=3"),
    ],
)
def test_what_is_left_of_the_cookies_is_as_a_browser_sends_it(
    container: ProxyContainer, sent: str, arrives: str | None
) -> None:
    received = get(container, "/headers", [("host", "shop.test"), ("cookie", sent)]).text.splitlines()

    found = [line.partition(": ")[2] for line in received if line.lower().startswith("cookie")]
    assert found == ([] if arrives is None else [arrives])


@pytest.mark.parametrize(
    ("cookie", "arrives"),
    [
        ("changeover_session=evil; Path=/", False),
        ("__Host-changeover_session=evil; Path=/; Secure", False),
        ("changeover_token=evil; Domain=example.com", False),
        ("changeover_session = evil", False),
        ("=changeover_session=evil; Domain=example.com", False),
        ("changeover_session", False),
        ("changeover_session\t=evil", False),
        ("=\tchangeover_session=evil; Domain=example.com", False),
        ("session=changeover_session=1; Expires=Wed, 21 Oct 2126 07:28:00 GMT", True),
        ("changeover_sessions=1", True),
    ],
)
def test_an_app_cannot_set_the_panels_cookie(container: ProxyContainer, cookie: str, arrives: bool) -> None:
    wanted = [("x-set-cookie", cookie), ("x-set-cookie", "theirs=1; Path=/")]

    of_shop = get(container, "/headers", [("host", "shop.test"), *wanted])
    of_panel = get(container, "/headers", [("host", "localhost"), *wanted])

    given_cookies = [one for one in of_shop.headers.get_list("set-cookie") if one]
    assert given_cookies == ([cookie.strip()] if arrives else []) + ["theirs=1; Path=/"]
    assert len([one for one in of_panel.headers.get_list("set-cookie") if one]) == 2

"""The configuration's text and the maps."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.apps.probe import PROBE_TIMEOUT_S
from orchestrator.apps.verification import HANDSHAKE_TIMEOUT_S, PAGE_TIMEOUT_S
from orchestrator.domain.colour import Colour
from orchestrator.proxy import backends, haproxy_config
from orchestrator.proxy.internal_way import DEFAULT_TIMEOUT_S
from orchestrator.proxy.routes import AppRoute, Server, paths, retries, stripped, ways
from panel.web import cookie
from tests.support.paths import ROOT

SERVER = Server("10.0.0.9", 80)


@given(st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,10}", fullmatch=True), unique=True, max_size=6), st.integers(0, 3))
def test_every_number_has_its_backends_once_and_every_app_is_named_above_its_own(names: list[str], spare: int) -> None:
    routes = [
        AppRoute(name, hosts=(f"{name}.test",), active=Colour.BLUE, servers={Colour.BLUE: SERVER}) for name in names
    ]
    numbers = backends.assign({}, names, len(names) + spare)

    text = haproxy_config.render(routes, numbers, len(names) + spare)

    for number in range(1, len(names) + spare + 1):
        for name in backends.backend_set(number):
            assert text.count(f"backend {name}\n") == 1
    for name in names:
        assert f"# {name}\nbackend {backends.backend(numbers[name], Colour.BLUE)}\n" in text
    assert text.count(f"    server app {SERVER}\n") == len(names)
    assert text.count("# spare\n") == spare
    assert backends.declared_in(text) == len(names) + spare


@given(st.sampled_from([None, Colour.BLUE, Colour.GREEN]), st.sampled_from([0, 7]))
def test_the_server_that_has_the_traffic_is_read_back_from_the_file(colour: Colour | None, most: int) -> None:
    servers = {colour: SERVER} if colour else {}
    route = AppRoute("shop", default=True, active=colour, servers=servers, max_connections=most)

    text = haproxy_config.render([route, AppRoute("blog", hosts=("blog.test",))], {"shop": 1, "blog": 2}, 3)

    for one in Colour:
        read = haproxy_config.server_in(text, backends.backend(1, one))
        assert read == (SERVER if one is colour else None)
        assert haproxy_config.server_in(text, backends.backend(2, one)) is None


def test_the_shape_is_in_the_file_and_says_nothing_of_servers() -> None:
    route = AppRoute("shop", default=True, active=Colour.BLUE, servers={Colour.BLUE: SERVER})

    assert f"    description {haproxy_config.shape()}\n" in haproxy_config.render([route], {"shop": 1}, 3)
    assert f"    description {haproxy_config.shape()}\n" in haproxy_config.render([], {}, 9)


def test_the_shape_is_another_one_when_a_file_changes_that_only_a_start_of_the_proxy_reads() -> None:
    """An upgrade with other Lua, and the same configuration, left the old Lua in the running proxy."""
    known = haproxy_config.beside()

    assert set(known) == {"pause.lua", "starting.http", "hooks.lua"}
    assert all(f"/{name}" in haproxy_config.render([], {}, 1) for name in known)
    assert len({haproxy_config.shape(), *(haproxy_config.shape({**known, name: "other"}) for name in known)}) == 4


OTHER, CANDIDATE = Server("10.0.0.8", 80), Server("10.0.0.9", 80)


@pytest.mark.parametrize("active", Colour)
@pytest.mark.parametrize("failed_over", [False, True])
def test_one_server_answers_until_it_is_failed_over_then_the_standby_does_in_its_place_and_by_its_own_colour(
    active: Colour, failed_over: bool
) -> None:
    servers = {active: SERVER, active.other: OTHER}
    route = AppRoute("shop", active=active, servers=servers, failed_over=failed_over, candidate=CANDIDATE)

    assert haproxy_config.servers(2, route) == {
        f"app_2_{active}/app": None if failed_over else SERVER,
        f"app_2_{active}/fallback": OTHER if failed_over else None,
        f"app_2_{active.other}/app": OTHER if failed_over else None,
        f"app_2_{active.other}/fallback": None,
        "app_2_preview/app": CANDIDATE,
    }


def test_a_slow_connection_moves_no_request_and_what_was_sent_is_sent_again_only_where_it_is_allowed() -> None:
    text = haproxy_config.render([], {}, 1)
    defaults = text[text.index("\ndefaults") : text.index("\nfrontend")]

    assert " check " not in defaults
    assert "observe" not in defaults
    assert "timeout connect 400ms" in defaults
    assert "retries 76" in defaults
    assert "http-request disable-l7-retry unless" in text


def test_a_limit_of_connections_is_in_the_file_and_set_in_the_running_proxy() -> None:
    route = AppRoute("shop", active=Colour.BLUE, servers={Colour.BLUE: SERVER}, max_connections=7, retry=("GET",))

    assert f"server app {SERVER} maxconn 7\n" in haproxy_config.render([route], {"shop": 1}, 1)
    assert set(haproxy_config.limits_of([route], {"shop": 1}).values()) == {7}
    assert len(haproxy_config.limits_of([route], {"shop": 1})) == 4
    assert retries([route]) == {"GET/shop": "yes"}


def test_the_maps_name_hosts_prefixes_in_whole_segments_and_the_default_as_the_shortest() -> None:
    routes = [
        AppRoute("panel", hosts=("localhost", "[::1]")),
        AppRoute("shop", hosts=("shop.test", "www.shop.test")),
        AppRoute("api", hosts=("shop.test",), path="/api", strip_path=True),
        AppRoute("late", default=True, path="/late"),
    ]

    assert ways(routes) == {
        "localhost/": "panel",
        "[::1]/": "panel",
        "shop.test/": "shop",
        "www.shop.test/": "shop",
        "shop.test/api/": "api",
    }
    assert paths(routes) == {"/late/": "late", "/": "late"}
    assert stripped(routes) == {"api": "4"}


def test_only_what_is_live_has_traffic() -> None:
    routes = [AppRoute("shop", active=Colour.GREEN), AppRoute("new")]

    assert haproxy_config.traffic(routes, {"shop": 7, "new": 8}) == {"shop": "app_7_green"}


def test_lua_runs_for_paused_apps_only() -> None:
    assert re.search(
        r"http-request lua\.pause if \{ var\(txn\.app\),map_str\(\S+/pause\.map\) -m found \}",
        haproxy_config.render([], {}, 1),
    )


@pytest.mark.parametrize("name", [cookie.NAME, cookie.NAME_OVER_HTTPS, cookie.FORMER_NAME])
def test_the_proxy_takes_away_the_cookies_that_the_panel_gives(name: str) -> None:
    text = haproxy_config.render([], {}, 1)
    pattern = re.search(r"acl our_cookie req\.fhdr\(cookie\) -m reg '(.*)'", text)

    assert pattern
    assert re.search(pattern[1], f"a=1; {name}=cs_secret")
    assert not re.search(pattern[1], f"a=1; x{name}=cs_secret")


def test_the_limits_of_headers_are_documented_and_those_of_the_proxy() -> None:
    text = haproxy_config.render([], {}, 1)
    page = (ROOT / "docs" / "limits.md").read_text(encoding="utf-8")
    limits = re.search(
        r"headers of a request to an app, and those of its answer \| (\d+) KiB and ([\d,]+) headers", page
    )

    assert limits
    assert f"tune.bufsize {int(limits[1]) * 1024}\n" in text
    assert f"tune.http.maxhdr {limits[2].replace(',', '')}\n" in text


def test_an_app_that_is_silent_to_our_own_requests_is_given_up_after_the_last_of_them() -> None:
    """HAProxy went on with each probe for 300 s: those of a silent app took all that it serves at the same time."""
    own, _, _ = haproxy_config.render([], {}, 1).partition("frontend internal\n")[2].partition("\nbackend ")

    limit_s = int(re.findall(r"set-var\(txn\.limits\) str\((\d+):", own)[0]) / 1000

    assert max(PROBE_TIMEOUT_S, DEFAULT_TIMEOUT_S, PAGE_TIMEOUT_S, HANDSHAKE_TIMEOUT_S) < limit_s < 10

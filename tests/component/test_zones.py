"""Times are in the time zone that the page names when it connects, and whatever it names, the page is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import sync_playwright
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.component.test_web import Web, migrated, serving_apps, started, until_painted
from tests.support.browser import CHROMIUM, FLAGS, Terminal

OWN_ZONE = "Asia/Kolkata"
"""That of the panel's processes: half an hour beside the others."""


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    database = migrated(tmp_path_factory.mktemp("panel"))
    with serving_apps() as api, started(api, database, "v1.2.3", TZ=OWN_ZONE) as web:
        web.until_readyz("ready")
        yield web


@pytest.mark.parametrize(
    ("zone", "since"), [("UTC", "09:00"), ("Asia/Tokyo", "18:00"), ("America/New_York", "05:00"), ("", "14:30")]
)
def test_times_are_in_the_zone_of_the_page(web: Web, zone: str, since: str) -> None:
    with web.session(f"in-{since[:2]}", zone=zone) as socket:
        until_painted(socket, f"live since 2026-03-14 {since}")
        socket.send(json.dumps(["stdin", ","]))
        until_painted(socket, "PREFERENCES", f"time zone {zone or 'IST'}")


@pytest.mark.parametrize(
    "zone", ["Mars/Olympus_Mons", "/etc/passwd", "../../etc/passwd", "\x1b]0;title\x07\x1b[2J", "\x00", "x" * 4_000]
)
def test_what_is_no_zone_is_the_panels_own(web: Web, zone: str) -> None:
    with web.session("hostile", zone=zone) as socket:
        assert b"title" not in until_painted(socket, "live since 2026-03-14 14:30")


def test_an_address_of_ten_kilobytes_ends_no_other_page(web: Web) -> None:
    with web.session("other", zone="UTC") as other:
        until_painted(other, "live since 2026-03-14 09:00")
        try:
            with web.session("long", zone="x" * 10_000) as socket:
                until_painted(socket, "live since 2026-03-14 14:30")
        except (InvalidHandshake, ConnectionClosed):
            pass  # the server reads no address that is so long
        other.send(json.dumps(["stdin", "?"]))
        until_painted(other, "KEYS")
    assert httpx.get(f"{web.url}/readyz").text == "ready"


def test_a_browser_names_the_zone_of_its_person(web: Web) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        context = browser.new_context(timezone_id="America/New_York")
        context.add_cookies([{"name": "changeover_session", "value": "cs_secret", "url": web.url}])
        page = context.new_page()
        page.set_viewport_size({"width": 1280, "height": 800})
        terminal = Terminal(page)
        page.goto(web.url)
        assert "live since 2026-03-14" in terminal.wait_for("05:00")
        browser.close()

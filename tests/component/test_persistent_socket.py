"""The script by which a page connects again, in a browser, with sockets of the test's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, sync_playwright

from tests.support.browser import CHROMIUM, FLAGS
from tests.support.paths import ROOT

SCRIPT = (ROOT / "panel/web/static/persistent-socket.js").read_text()
FAKE = """
window.made = [];
window.sent = [];
window.WebSocket = class extends EventTarget {
  static OPEN = 1;
  constructor(url) { super(); this.url = url; this.readyState = 1; window.made.push(this); }
  send(message) { window.sent.push(message); }
  close() { this.ends(1000); }
  ends(code, reason = "") {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event("close"), { code, reason }));
  }
  paints() { this.dispatchEvent(new MessageEvent("message", { data: "picture" })); }
};
window.hide = (hidden) => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
};
"""
TOO_MANY_PAGES = 4429


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_page()
        page.route("**/*", lambda route: route.fulfill(content_type="text/html", body="<p id=state></p>"))
        yield page
        browser.close()


@pytest.fixture
def page(browser_page: Page) -> Page:
    browser_page.clock.install()
    browser_page.goto("http://panel.test/")
    browser_page.evaluate(FAKE)
    browser_page.evaluate(SCRIPT)
    browser_page.evaluate("window.kept = new WebSocket('/session'); 0")
    return browser_page


def open_sockets(page: Page) -> int:
    return int(page.evaluate("window.made.filter((one) => one.readyState === 1).length"))


def test_each_connection_names_the_time_zone_that_the_person_is_in(page: Page) -> None:
    zones = "window.made.map((one) => new URL(one.url).searchParams.get('zone'))"
    assert page.evaluate(zones) == [page.evaluate("Intl.DateTimeFormat().resolvedOptions().timeZone")]

    page.evaluate("Intl.DateTimeFormat = () => ({ resolvedOptions: () => ({ timeZone: 'Asia/Tokyo' }) })")
    page.evaluate("window.made[0].ends(1012)")
    page.clock.run_for("00:01")
    assert page.evaluate(zones)[-1] == "Asia/Tokyo"


def test_a_try_that_was_put_off_opens_no_second_socket_after_the_page_was_shown_again(page: Page) -> None:
    page.evaluate("hide(true)")
    page.clock.run_for("09:58")
    page.evaluate(f"window.made[0].ends({TOO_MANY_PAGES})")  # tried again after 5 s
    page.clock.run_for("00:03")  # asleep
    asleep = open_sockets(page)
    page.evaluate("hide(false)")
    shown = open_sockets(page)
    page.clock.run_for("00:30")

    assert (asleep, shown, open_sockets(page)) == (0, 1, 1)


def test_a_socket_that_ends_is_followed_by_one_other(page: Page) -> None:
    for _ in range(5):
        page.evaluate("window.made.at(-1).ends(1006)")
        page.clock.run_for("00:30")
        assert open_sockets(page) == 1

    assert page.evaluate("window.made.length") == 6


def said(page: Page) -> str:
    return page.inner_text("#state")


def test_one_line_says_for_how_long_the_connection_is_gone(page: Page) -> None:
    page.evaluate("window.made.at(-1).paints()")
    page.clock.run_for("00:30")
    connected = said(page)
    page.evaluate("window.made.at(-1).ends(1012)")
    page.clock.run_for(500)
    at_once = said(page)
    page.clock.run_for("00:05")
    later = said(page)
    page.evaluate("window.made.at(-1).ends(1006)")
    page.clock.run_for("03:00")
    much_later = said(page)
    page.evaluate("window.made.at(-1).paints()")

    assert (connected, at_once) == ("", "")
    assert later == "No connection for 5 s. Connecting again."
    assert much_later == "No connection for 3 min. Connecting again."
    assert said(page) == ""


def test_a_page_whose_process_has_failed_says_why(page: Page) -> None:
    page.evaluate("window.made.at(-1).ends(4411, 'It took more than 300 MB of memory.')")
    page.clock.run_for("00:02")

    assert said(page) == "It took more than 300 MB of memory. The page is opened again in 5 s."


def test_the_process_is_told_whether_somebody_looks_at_its_page(page: Page) -> None:
    page.evaluate("hide(true)")  # before there is a process
    page.evaluate("window.made.at(-1).paints()")
    page.evaluate("hide(false)")

    assert page.evaluate("window.sent") == ['["hidden"]', '["shown"]']

"""The page around the terminal says times in the zone of the browser's person."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.sync_api import sync_playwright

from panel.client.access_model import Session
from panel.web import pages
from tests.support.browser import CHROMIUM, FLAGS
from tests.support.paths import ROOT

SCRIPT = (ROOT / "panel/web/static/local-times.js").read_text()


def test_the_end_of_a_session_is_said_in_the_zone_of_the_person() -> None:
    expires = datetime(2026, 3, 14, 20, 30, tzinfo=UTC)
    session = Session(token="<b>ann</b>", scope="admin", expires_at=expires)
    text = pages.terminal(session)
    assert "token &lt;b&gt;ann&lt;/b&gt; (admin), until <time" in text
    assert "2026-03-14 20:30 UTC</time>" in text, "what is said without the script"

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        page = browser.new_context(timezone_id="Asia/Tokyo", locale="en-GB").new_page()
        page.set_content(text.replace("<script", "<template").replace("</script", "</template"))
        page.evaluate(SCRIPT)
        assert page.inner_text("#who").endswith("until 15 Mar 2026, 05:30")
        browser.close()

"""The title of the panel in a terminal has the version that is live, as `status` says it."""

from __future__ import annotations

import pytest

from panel.app import PanelApp
from panel.client.client import Client
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi


@pytest.mark.parametrize(("deployed", "title"), [("", "v0.0.71-g1234567"), ("v1.2.3", "v1.2.3")])
async def test_the_title_has_the_version_that_is_live(
    monkeypatch: pytest.MonkeyPatch, deployed: str, title: str
) -> None:
    monkeypatch.delenv("CHANGEOVER_VERSION", raising=False)
    if deployed:
        monkeypatch.setenv("CHANGEOVER_VERSION", deployed)
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [answers.app("panel", active=answers.slot("v0.0.71-g1234567"))]})
        panel = PanelApp(Client(api.url, "co_secret"))
        async with panel.run_test() as pilot:
            for _ in range(500):
                await pilot.pause(0.01)
                if panel.sub_title == title:
                    break
            shown = panel.sub_title

    assert shown == title

"""A screen that is closed, or a panel that ends, while an answer is under way: the answer changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.screen import Screen

from panel.app import PanelApp
from panel.client.client import Client
from panel.client.model import App
from panel.screens.audit import AuditScreen
from panel.screens.progress import ProgressScreen
from panel.screens.versions import VersionsScreen
from panel.screens.whole import is_whole
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi


async def test_a_screen_is_whole_from_when_it_has_its_widgets_until_it_is_closed() -> None:
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [answers.app("shop")]})
        async with Client(api.url, "co_secret") as client:
            app = PanelApp(client)
            progress = ProgressScreen(client, "shop", "d1", app.clock)
            async with app.run_test() as pilot:
                dashboard = app.screen
                await app.push_screen(progress)
                await pilot.pause()
                assert is_whole(progress)
                assert is_whole(dashboard), "it is behind the other one"

                progress.dismiss()
                assert not is_whole(progress)
                progress._redraw()
            assert not is_whole(dashboard)
            app._dashboard.show(app._dashboard._apps)


@pytest.mark.parametrize("screen", ["audit", "progress", "versions"])
async def test_a_screen_may_be_closed_in_the_moment_in_which_it_is_opened(screen: str) -> None:
    """Its title, which Textual's own header has set by then, would have ended the panel."""
    with FakeApi() as api:
        shop = answers.app("shop")
        api.gives("GET", "/v1/apps", {"apps": [shop]})
        async with Client(api.url, "co_secret") as client:
            app = PanelApp(client)
            make: dict[str, Callable[[], Screen[Any]]] = {
                "audit": lambda: AuditScreen(client),
                "progress": lambda: ProgressScreen(client, "shop", "d1", app.clock),
                "versions": lambda: VersionsScreen(client, App.model_validate(shop), app.clock),
            }
            async with app.run_test() as pilot:
                for _ in range(5):
                    app.push_screen(make[screen]())
                    await app.pop_screen()
                    await pilot.pause()
                assert app._exception is None

"""Each key of the dashboard that cannot do anything says why."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from panel.app import PanelApp
from panel.client.model import Apps, Deployments
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.client import WithoutEvents

HELD_BACK = {"version": "v2", "revision": "b" * 40, "says": "v2 failed at verify.", "remedy": "Deploy it nevertheless."}


class Quiet(WithoutEvents):
    """Has one app, for which nothing can be done."""

    def __init__(self, app: dict[str, Any]) -> None:
        super().__init__()
        self._app = app

    async def status(self) -> Apps:
        return Apps.model_validate({"apps": [self._app]})

    async def history(self, app: str, limit: int = 20, before: int | None = None) -> Deployments:
        return Deployments(deployments=())


@pytest.mark.parametrize(
    ("key", "held_back", "says"),
    [
        ("d", None, "No update is known for this app, or it is dismissed. Press U to check."),
        ("x", None, "No update is known for this app, or it is dismissed. Press U to check."),
        ("d", HELD_BACK, "No update of shop is offered: v2 failed at verify. Deploy it nevertheless."),
        (
            "x",
            HELD_BACK | {"dismissed": True},
            "No update of shop is offered: v2 failed at verify. Deploy it nevertheless.",
        ),
        ("b", None, "shop has no standby release to roll back to. Deploy a second release first."),
        ("p", None, "This app has no deployments."),
    ],
)
async def test_a_key_that_cannot_do_anything_says_why(key: str, held_back: dict[str, Any] | None, says: str) -> None:
    """X was silent, and D asked for a check of which U had just told the result."""
    panel = PanelApp(Quiet(answers.app(held_back=held_back)), clock=lambda: NOW)
    async with panel.run_test() as pilot:
        deadline = time.monotonic() + 10
        while not panel._dashboard.selected:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)
        await pilot.press(key)
        while not panel._notifications:
            assert time.monotonic() < deadline, "nothing was said"
            await asyncio.sleep(0.01)

        assert [one.message for one in panel._notifications] == [says]

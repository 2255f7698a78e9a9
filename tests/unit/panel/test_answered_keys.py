"""Each key of the dashboard that cannot do anything says why."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from panel.app import PanelApp
from panel.client.model import App, Apps, Deployments
from panel.screens.progress import ProgressScreen
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


class Failed(Quiet):
    """The newest deployment failed with the revision `revision`."""

    def __init__(self, revision: str) -> None:
        super().__init__(answers.app(held_back=HELD_BACK))
        self._record = answers.failed("d43", revision=revision)

    async def check(self, app: str, *, afresh: bool = False) -> None:
        return None

    async def app(self, name: str) -> App:
        return App.model_validate(self._app)

    async def history(self, app: str, limit: int = 20, before: int | None = None) -> Deployments:
        return Deployments.model_validate({"deployments": [self._record]})


@pytest.mark.parametrize(("revision", "is_shown"), [("b" * 40, True), ("c" * 40, False)], ids=["of it", "of another"])
async def test_u_after_a_failed_update_shows_what_failed_with_a_key_to_try_again(revision: str, is_shown: bool) -> None:
    """It said that no update is offered, and to type a command."""
    panel = PanelApp(Failed(revision), clock=lambda: NOW)
    async with panel.run_test() as pilot, asyncio.timeout(10):
        while not panel._dashboard.selected:
            await pilot.pause(0.01)
        await pilot.press("u")
        while not (panel._notifications or isinstance(panel.screen, ProgressScreen)):
            await pilot.pause(0.01)

        opened = panel.screen.deployment if isinstance(panel.screen, ProgressScreen) else ""
        assert opened == ("d43" if is_shown else "")

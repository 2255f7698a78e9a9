"""The console on the dashboard as it looks, in a wide and in a narrow terminal."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.widgets.console.line import ConsoleLine
from tests.component.test_screens import NARROW, WIDE, Snap, api, fixed_surroundings, panel, showing
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi

__all__ = ["api", "fixed_surroundings", "panel"]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_the_console(snap_compare: Snap, api: FakeApi, panel: PanelApp, size: tuple[int, int]) -> None:
    api.gives("GET", "/v1/apps/shop/deployments", {"deployments": [answers.failed()], "before": None})
    api.gives("GET", "/v1/apps/shop/logs", {"lines": ["[red]\x1b[31mtext from outside[/]"]})

    async def talk(pilot: Pilot[int]) -> None:
        await showing("v1.0.0")(pilot)
        await pilot.press("colon")
        for line, said in (
            ("logs of shop", "[red]text from outside[/]"),
            ("history of shop", "changeover history shop"),
            ("puase shop", "→ pause shop"),
        ):
            pilot.app.screen.query_one(ConsoleLine).value = line
            await pilot.press("enter")
            await showing(said)(pilot)
        await pilot.press(*"deploy s")
        await showing("deploy shop")(pilot)

    assert snap_compare(panel, terminal_size=size, run_before=talk)

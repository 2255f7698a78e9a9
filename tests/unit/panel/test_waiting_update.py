"""What an update waits for is said wherever the panel shows it; what is held back is shown with its reason."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from rich.console import Console

from panel.app import PanelApp
from panel.client.model import Apps, Deployment, Plan
from panel.client.update_model import Update
from panel.screens.confirm import ConfirmScreen
from panel.screens.details import DetailsScreen
from panel.text.result import complete
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.client import WithoutEvents
from tests.support.screen import shown

WAITS = "It installs itself when its window opens (update.window): Tue 2026-03-17 02:00 Europe/Zurich."
YOUNG = {
    "version": "v2", "revision": "b" * 40, "remedy": "Deploy it nevertheless: changeover deploy shop",
    "says": "v2 was released at 2026-03-14 11:18 UTC, and is too young (update.minimum_age): it is offered from "
            "2026-03-15 11:18 UTC on.",
}  # fmt: skip
WITHIN_S = 20.0


class Shop(WithoutEvents):
    def __init__(self, *apps: dict[str, Any]) -> None:
        super().__init__()
        self._apps = apps

    async def status(self) -> Apps:
        return Apps.model_validate({"apps": self._apps})

    async def check(self, app: str, *, afresh: bool = False) -> Update | None:
        return None

    async def plan(self, app: str, kind: str = "deploy", **_: Any) -> Plan:
        return Plan.model_validate({"app": app, "kind": kind, "steps": []})


def words(text: str) -> str:
    """Of a line that a dialog covers, what stands in the dialog."""
    lines = (line.split("│")[1] if line.count("│") == 2 else line for line in text.splitlines())
    return " ".join(" ".join(lines).replace("│", " ").split())


@pytest.mark.parametrize("width", [60, 80, 140])
async def test_an_update_that_waits_says_so_in_the_banner_its_details_and_its_question(width: int) -> None:
    panel = PanelApp(Shop(answers.app(update=answers.update(waits=WAITS))), clock=lambda: NOW)
    async with panel.run_test(size=(width, 40)) as pilot:
        async with asyncio.timeout(WITHIN_S):
            while WAITS not in words(shown(pilot)):
                await pilot.pause(0.01)
            await pilot.press("d")
            while not isinstance(panel.screen, DetailsScreen) or WAITS not in words(shown(pilot)):
                await pilot.pause(0.01)
            await pilot.press("escape", "u")
            while not isinstance(panel.screen, ConfirmScreen) or "Yes does not wait." not in words(shown(pilot)):
                await pilot.pause(0.01)


async def test_what_is_held_back_of_the_selected_app_is_shown_with_its_reason_and_leaves_with_it() -> None:
    shop = Shop(answers.app("blog", held_back=YOUNG), answers.app("shop", update=answers.update()))
    panel = PanelApp(shop, clock=lambda: NOW)
    async with panel.run_test(size=(100, 40)) as pilot:
        async with asyncio.timeout(WITHIN_S):
            while f"No update of blog is offered: {YOUNG['says']}" not in words(shown(pilot)):
                await pilot.pause(0.01)
            await pilot.press("down")
            while "shop v1.1.0" not in shown(pilot) or "too young" in shown(pilot):
                await pilot.pause(0.01)


def test_a_complete_update_names_the_dependencies_without_a_commit() -> None:
    line = "Updated dependencies (textual 0.85.0, anthropic 1.5.2)"
    changes = [*answers.CHANGES, answers.change(line) | {"revision": ""}]
    ended = Deployment.model_validate(answers.deployment(version="v1.3.0", changes=changes))

    console = Console(width=120, record=True, file=io.StringIO())
    console.print(complete(ended))
    text = console.export_text()
    assert f"  • {line}\n" in text
    assert "tidy the shelves (4d1f0a2)" in text

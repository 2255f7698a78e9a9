"""What stands in the banner is of the selected app, has keys that work, and can be dismissed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.text.shortened import shortened
from panel.widgets.banner import MOST_LINES, available, held_back, of_another_app
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

WITHIN_S = 20.0
DISMISS = ("POST", "/v1/apps/blog/update/dismiss")
FAILED = {
    "version": "v2",
    "revision": "b" * 40,
    "says": "v2 failed at verify: It does not answer.",
    "remedy": "Deploy it nevertheless: changeover deploy blog",
}


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [answers.app("blog", held_back=FAILED)]})
        api.gives(*DISMISS, None)
        yield api


@asynccontextmanager
async def panel_of(api: FakeApi, columns: int = 100) -> AsyncIterator[Pilot[Any]]:
    async with Client(api.url, "co_secret") as client:
        panel = PanelApp(client, clock=lambda: NOW)
        async with panel.run_test(size=(columns, 30)) as pilot:
            await until(pilot, lambda: bool(panel._dashboard.selected))
            yield pilot


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():
            await pilot.pause(0.01)


@pytest.mark.parametrize("columns", [100, 40])
async def test_what_is_held_back_can_be_dismissed_and_still_be_asked_for(api: FakeApi, columns: int) -> None:
    async with panel_of(api, columns) as pilot:
        await until(pilot, lambda: "[V] Versions" in shown(pilot) and "[X] Dismiss" in shown(pilot))
        api.gives("GET", "/v1/apps", {"apps": [answers.app("blog", held_back=FAILED | {"dismissed": True})]})
        await pilot.press("x")
        await until(pilot, lambda: bool(api.requests(*DISMISS)))
        app = pilot.app
        assert isinstance(app, PanelApp)
        await app._ask_for_apps()
        await until(pilot, lambda: "[X] Dismiss" not in shown(pilot))
        await pilot.press("d")
        await until(pilot, lambda: any("v2 failed at verify" in one.message for one in app._notifications))

    assert [one.body for one in api.requests(*DISMISS)] == [{"version": "v2"}]


async def test_the_keys_of_the_banner_are_of_the_selected_app_alone(api: FakeApi) -> None:
    """With the cursor at the blog, [U] beside the name of the shop would install an update of the blog."""
    api.gives("GET", "/v1/apps", {"apps": [answers.app("blog"), answers.app("shop", update=answers.update())]})
    async with panel_of(api) as pilot:
        await until(pilot, lambda: "shop v1.1.0. Select shop to install it." in shown(pilot))
        assert "[U]" not in shown(pilot)
        await pilot.press("down")
        await until(pilot, lambda: "[U] Update" in shown(pilot))


LONG = "v" + "1234567890" * 25


@pytest.mark.parametrize("width", [1, 5, 24, 40, 80, 120, 300])
@pytest.mark.parametrize("version", ["v1.1.0", LONG, "[/bold] [red]", "二" * 120])
def test_no_version_makes_the_banner_wider_than_its_room_or_higher_than_a_few_lines(width: int, version: str) -> None:
    cause = f"{version} failed at build: {'it does not compile. ' * 500}"
    for lines in (available("shop", version, width), of_another_app("shop", version, width), held_back(cause, width)):
        assert all(one.cell_len <= max(width, 2) for one in lines)
    if width >= 24:
        assert len(held_back(cause, width)) <= MOST_LINES + 2
        assert "[X] Dismiss" in held_back(cause, width)[-1].plain


@pytest.mark.parametrize("text", ["v1.2.3", LONG, "二" * 120, ""])
@pytest.mark.parametrize("cells", [1, 2, 3, 10, 40])
def test_a_name_is_shortened_in_its_middle(text: str, cells: int) -> None:
    short = shortened(text, cells)
    assert cell_len(short) <= cells
    assert short == text or "…" in short
    if cells >= 10 and text == LONG:
        assert (short[:2], short[-1:]) == (LONG[:2], LONG[-1:])

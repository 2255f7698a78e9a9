"""Every key that the panel has is shown, or is in its help; help and quit are shown however narrow the screen is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen

from panel.app import PanelApp
from panel.client.client import Client
from panel.screens.audit import AuditScreen
from panel.screens.confirm import ConfirmScreen
from panel.screens.details import DetailsScreen
from panel.screens.help import HelpScreen
from panel.screens.notices import NoticesScreen
from panel.screens.progress import ProgressScreen
from panel.widgets.key_line import GAP, KeyHint, fitting
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

pytestmark = pytest.mark.in_turn

SIZES = [(24, 10), (50, 20), (60, 30), (80, 24), (100, 30), (120, 40)]
UPDATE, ROLL_BACK, QUIT = KeyHint("u", "U", "Update"), KeyHint("b", "B", "Roll back"), KeyHint("q", "Q", "Quit", True)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        shop = answers.app(standby=answers.slot("v0.9.0", "green"), update=answers.update())
        api.gives("GET", "/v1/apps", {"apps": [shop]})
        api.gives("GET", "/v1/audit", {"before": None, "entries": []})
        api.gives("POST", "/v1/apps/shop/update/check", answers.update())
        yield api


@asynccontextmanager
async def panel_of(api: FakeApi, size: tuple[int, int]) -> AsyncIterator[Pilot[Any]]:
    panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
    async with panel.run_test(size=size) as pilot:
        await until(pilot, lambda: bool(api.requests("GET", "/v1/apps")))
        yield pilot


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause(0.01)
    await pilot.pause()


def last_line(pilot: Pilot[Any]) -> str:
    return shown(pilot).splitlines()[-1]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("screen", ["dashboard", "audit", "progress"])
async def test_help_and_quit_are_shown_on_every_screen_of_every_size(
    api: FakeApi, screen: str, size: tuple[int, int]
) -> None:
    async with panel_of(api, size) as pilot:
        panel = pilot.app
        assert isinstance(panel, PanelApp)
        if screen == "audit":
            await pilot.press("a")
        if screen == "progress":
            await panel.push_screen(ProgressScreen(panel.client, "shop", "d42", panel.clock))

        await until(pilot, lambda: "? Help  Q Quit" in last_line(pilot))


async def test_a_terminal_of_80_columns_shows_each_key_of_the_dashboard_whole(api: FakeApi) -> None:
    async with panel_of(api, (80, 24)) as pilot:
        await until(pilot, lambda: "Quit" in last_line(pilot))
        shows = last_line(pilot).strip().split("  ")

    assert shows == [
        "U Update", "D Details", "X Dismiss", "B Roll back", "P Progress", "W Pause", "? Help", "Q Quit",
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["question_mark", "f1"])
@pytest.mark.parametrize(
    ("opened", "below"), [("", Screen), ("a", AuditScreen), ("u", ConfirmScreen), ("d", DetailsScreen)]
)
async def test_the_help_has_all_keys_and_is_opened_from_everywhere(
    api: FakeApi, key: str, opened: str, below: type
) -> None:
    async with panel_of(api, (80, 180)) as pilot:
        if opened:
            await pilot.press(opened)
            await until(pilot, lambda: isinstance(pilot.app.screen, below))
        before = pilot.app.screen
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        says = [line.strip(" │").split("  ", 1) for line in shown(pilot).splitlines()]
        await pilot.press(key)
        await until(pilot, lambda: pilot.app.screen is before)

    for keys, does in (
        ("Shift+U", "Ask the source for an update now"),
        ("B", "Ask, and go back to the standby release"),
        ("A", "Show who did what"),
        ("/", "Show the apps that have these words"),
        ("[", "The tab before"),
        ("Z or +", "Show the app alone"),
        ("M", "Add the next 100 older entries"),
        ("Esc", "Ask, and cancel the deployment"),
        ("Y or Enter", "Install the update"),
        ("N or Enter or Esc", "Do nothing"),
        ("? or F1", "Show the keys"),
        ("Q", "Quit the panel"),
        ("Ctrl+P", "Open the command palette"),
    ):
        assert any(line[0] == keys and line[-1].strip().startswith(does) for line in says), keys


@pytest.mark.parametrize("opens", ["colon", "slash"])
async def test_where_something_is_typed_the_line_names_no_key_that_is_a_character(api: FakeApi, opens: str) -> None:
    async with panel_of(api, (120, 40)) as pilot:
        await pilot.press(opens)
        await until(pilot, lambda: "F1 Help" in last_line(pilot))
        assert not {"/ Filter", "Z Full screen", "? Help"} & set(last_line(pilot).strip().split("  "))
        await pilot.press("question_mark", "escape")
        await until(pilot, lambda: "? Help" in last_line(pilot))


async def test_a_key_of_the_line_can_be_clicked(api: FakeApi) -> None:
    async with panel_of(api, (80, 24)) as pilot:
        await until(pilot, lambda: "? Help" in last_line(pilot))
        await pilot.click("KeyLine", offset=(last_line(pilot).index("? Help"), 0))
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))


@pytest.mark.parametrize("room", range(60))
def test_what_is_left_out_is_the_last_that_need_not_be_kept(room: int) -> None:
    keys = [UPDATE, ROLL_BACK, QUIT]
    widths = {sum(one.width for one in some) + GAP * (len(some) - 1): some for some in (keys, [UPDATE, QUIT])}
    expected = next((some for width, some in widths.items() if width <= room), [QUIT])

    assert fitting(keys, room) == expected


async def test_a_test_of_notices_is_sent_by_a_key_of_its_own_and_shows_what_each_service_said(api: FakeApi) -> None:
    said = {"service": "json (secrets/notify, line 2)", "taken": False, "says": "error=500", "seconds": 0.2}
    api.gives("POST", "/v1/apps/shop/notices/test", {"app": "shop", "services": [said], "problems": []})
    async with panel_of(api, (100, 30)) as pilot:
        await pilot.press("n")
        await until(pilot, lambda: isinstance(pilot.app.screen, NoticesScreen))
        assert api.requests("POST", "/v1/apps/shop/notices/test") == []

        await pilot.press("t")
        await until(pilot, lambda: "error=500" in shown(pilot))

        assert "✗ json (secrets/notify, line 2): error=500" in shown(pilot)
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, NoticesScreen)


async def test_a_test_of_notices_that_is_refused_says_why(api: FakeApi) -> None:
    problem = {"title": "Refused", "detail": "Nobody is told anything.", "remedy": "Add notify.", "status": 409}
    api.gives("POST", "/v1/apps/shop/notices/test", problem, status=409)
    async with panel_of(api, (80, 24)) as pilot:
        await pilot.press("n", "t")

        await until(pilot, lambda: "Nobody is told anything." in shown(pilot))

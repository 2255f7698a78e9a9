"""The dashboard by its keys: the list, its filter, and the tabs of the selected app."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.model import Apps, Deployment, Deployments
from panel.client.traffic_model import AppSummary, AppTraffic, Traffic
from panel.screens.progress import ProgressScreen
from panel.widgets.apps.list import AppsList
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.client import WithoutEvents
from tests.support.screen import shown

WITHIN_S = 20
HEALTHS = {"shop": "healthy", "till": "crashing", "blog": "healthy"}


class Host(WithoutEvents):
    """Three apps, or as many more as are wanted."""

    def __init__(self, more: int = 0) -> None:
        super().__init__()
        self.names = [*HEALTHS, *(f"app{index}" for index in range(more))]

    async def status(self) -> Apps:
        apps = [answers.app(name, health=HEALTHS.get(name, "healthy")) for name in self.names]
        return Apps.model_validate({"apps": apps})

    async def history(self, app: str, limit: int = 20, before: int | None = None) -> Deployments:
        return Deployments(deployments=(Deployment.model_validate(answers.failed(id=f"of-{app}")),))

    async def deployment(self, deployment: str) -> Deployment:
        return Deployment.model_validate(answers.failed(id=deployment))

    async def traffic(self, seconds: int = 60) -> Traffic:
        return Traffic(apps={"shop": AppSummary(requests=(3.0,) * 60, errors=0.5, p99=250.0, ticks="+-")})

    async def app_traffic(self, app: str, since: int | datetime = 600) -> AppTraffic:
        return AppTraffic(app=app, step=1, at=(NOW,), requests=(42.0,))


@asynccontextmanager
async def dashboard(columns: int = 120, rows: int = 40, host: Host | None = None) -> AsyncIterator[Pilot[Any]]:
    panel = PanelApp(host or Host(), clock=lambda: NOW)
    async with panel.run_test(size=(columns, rows)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "shop" in shown(pilot))
        yield pilot


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    while not holds():
        await pilot.pause(0.01)


def names(pilot: Pilot[Any]) -> tuple[str, ...]:
    return pilot.app.screen.query_one(AppsList).shown


async def test_the_list_has_the_numbers_of_each_app_and_the_title_one_mark_for_all() -> None:
    async with dashboard() as pilot:
        await until(pilot, lambda: "50% 250 ms" in shown(pilot))
        assert "✗ 1 app needs you" in shown(pilot).splitlines()[0]


async def test_the_tabs_show_the_app_under_the_cursor() -> None:
    async with dashboard() as pilot:
        await until(pilot, lambda: "http://shop.localhost" in shown(pilot) and "Requests/s  42" in shown(pilot))
        await pilot.press("down")
        await until(pilot, lambda: "http://till.localhost" in shown(pilot))
        await pilot.press("2")
        await until(pilot, lambda: "[2 Deployments]" in shown(pilot) and "failed" in shown(pilot))
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: "[1 Overview]" in shown(pilot))


async def test_a_deployment_of_the_timeline_opens_what_became_of_it() -> None:
    async with dashboard() as pilot:
        await pilot.press("2")
        await until(pilot, lambda: "✗ failed" in shown(pilot))
        await pilot.press("enter", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProgressScreen))
        screen = pilot.app.screen
        assert isinstance(screen, ProgressScreen)
        assert screen.deployment == "of-shop"


async def test_the_events_of_an_app_lead_to_who_did_what() -> None:
    async with dashboard() as pilot:
        await pilot.press("6")
        await until(pilot, lambda: "[6 Events]" in shown(pilot) and "[A] Audit log" in shown(pilot))


async def test_the_filter_shows_what_has_its_words_and_escape_shows_all_again() -> None:
    async with dashboard() as pilot:
        await pilot.press("slash", *"blo")
        await until(pilot, lambda: names(pilot) == ("blog",))
        await pilot.press("enter")
        await until(pilot, lambda: "http://blog.localhost" in shown(pilot))
        await pilot.press("slash", "escape")
        await until(pilot, lambda: len(names(pilot)) == 3)
        assert pilot.app.screen.query_one(AppsList).selected == "blog", "the cursor stays at its app"


@pytest.mark.parametrize(
    ("keys", "shows"),
    [("f", ("till",)), ("g", ("till", "shop", "blog")), ("s", ("blog", "shop", "till"))],
)
async def test_the_list_is_arranged_by_one_key(keys: str, shows: tuple[str, ...]) -> None:
    async with dashboard() as pilot:
        await pilot.press(keys)
        await until(pilot, lambda: names(pilot) == shows)


async def test_on_a_phone_one_half_is_shown_at_a_time() -> None:
    async with dashboard(columns=60, rows=24) as pilot:
        assert "Overview" not in shown(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "[1 Overview]" in shown(pilot) and "till" not in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "till" in shown(pilot) and "Overview" not in shown(pilot))


async def test_full_screen_is_the_app_alone() -> None:
    async with dashboard() as pilot:
        await pilot.press("z")
        await until(pilot, lambda: "till" not in shown(pilot) and "http://shop.localhost" in shown(pilot))
        await pilot.press("z")
        await until(pilot, lambda: "till" in shown(pilot))


async def test_what_is_typed_into_the_filter_is_seen() -> None:
    """From the app alone, the letters went into a line of the half that is not shown."""
    async with dashboard() as pilot:
        await pilot.press("z", "slash", *"blo")
        await until(pilot, lambda: names(pilot) == ("blog",))
        assert any(line.startswith(" blo") for line in shown(pilot).splitlines())


async def test_of_a_hundred_apps_the_one_under_the_cursor_is_always_seen() -> None:
    async with dashboard(host=Host(more=97)) as pilot:
        apps = pilot.app.screen.query_one(AppsList)
        await until(pilot, lambda: len(apps.shown) == 100)
        for key in ("end", "pageup", "pageup", "down", "home"):
            await pilot.press(key)
            await until(pilot, lambda: apps.selected in shown(pilot))


async def test_a_click_selects_an_app_and_another_one_opens_it() -> None:
    async with dashboard() as pilot:
        apps = pilot.app.screen.query_one(AppsList)
        await pilot.click(AppsList, offset=(4, 2))
        await until(pilot, lambda: apps.selected == "till")
        await pilot.click(AppsList, offset=(4, 0))
        assert apps.selected == "till", "the heading is no app"
        await pilot.click("TabBar", offset=(18, 0))
        await until(pilot, lambda: "[2 Deployments]" in shown(pilot))

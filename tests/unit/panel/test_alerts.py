"""Alerts and mutes, by the command and by keys: two key presses at most, and nothing that the token may not do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.screens.alerts import AlertsScreen
from tests.support import api_answers as answers
from tests.support.api_answers import NOW, Events, before
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

UNTIL = "2026-03-14T16:00:00+00:00"


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The viewer's time zone."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def alerts(api: FakeApi) -> FakeApi:
    api.gives("GET", "/v1/apps", {"apps": [answers.app(), answers.app("till")]})
    api.gives("GET", "/v1/alerts", {"alerts": answers.alerts(), "before": None})
    api.gives("PUT", "/v1/apps/shop/mute", {"app": "shop", "muted_until": UNTIL})
    api.gives("DELETE", "/v1/apps/shop/mute", {"app": "shop", "muted_until": None})
    return api


def panel_of(api: FakeApi) -> PanelApp:
    return PanelApp(Client(api.url, "co_secret"), clock=lambda: NOW)


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause(0.01)


async def says(pilot: Pilot[Any], *words: str) -> None:
    await until(pilot, lambda: all(one in shown(pilot) for one in words))


async def tells(pilot: Pilot[Any], *words: str) -> None:
    """By a toast."""
    await until(pilot, lambda: all(any(word in one.message for one in pilot.app._notifications) for word in words))


async def test_one_key_shows_what_went_wrong_in_the_viewers_time(alerts: FakeApi) -> None:
    async with panel_of(alerts).run_test(size=(140, 30)) as pilot:
        await says(pilot, "till")
        await pilot.press("h")

        await says(pilot, "4 alerts, 1 going on", "failed over to the standby", "2026-03-14 12:58:00", "this host")


async def test_downtimes_alone_and_one_app_alone_are_a_key_each(alerts: FakeApi) -> None:
    async with panel_of(alerts).run_test(size=(140, 30)) as pilot:
        await says(pilot, "till")
        await pilot.press("h")
        await says(pilot, "4 alerts")
        await pilot.press("d")
        await says(pilot, "Downtimes in the last 90 days: 2 downtimes, 1 going on")
        await pilot.press("o")
        await until(pilot, lambda: alerts.requests("GET", "/v1/alerts")[-1].query["app"] == "shop")
        await says(pilot, "Downtimes of shop")
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, AlertsScreen))


async def test_one_key_mutes_and_the_same_takes_it_back(alerts: FakeApi) -> None:
    async with panel_of(alerts).run_test(size=(140, 30)) as pilot:
        await says(pilot, "till")
        await pilot.press("m")
        await tells(pilot, "shop is muted until 17:00", "M again takes it back")
        await says(pilot, "healthy, muted", "muted until 17:00: no notices are sent")
        await pilot.press("m")
        await tells(pilot, "shop is not muted any more")

    assert [one.method for one in alerts.asked if one.path.endswith("/mute")] == ["PUT", "DELETE"]


async def test_two_quick_presses_are_a_mute_and_its_end(alerts: FakeApi) -> None:
    async with panel_of(alerts).run_test(size=(140, 30)) as pilot:
        await says(pilot, "till")
        await pilot.press("m", "m")
        await tells(pilot, "shop is not muted any more")

    assert [one.method for one in alerts.asked if one.path.endswith("/mute")] == ["PUT", "DELETE"]


def enabled(pilot: Pilot[Any]) -> set[str]:
    return {one.binding.action for one in pilot.app.screen.active_bindings.values() if one.enabled}


async def test_a_token_that_may_only_read_is_not_offered_to_mute(alerts: FakeApi) -> None:
    alerts.gives("GET", "/v1/sessions/current", {"token": "ann", "scope": "read", "apps": None, "expires_at": None})
    async with panel_of(alerts).run_test(size=(200, 30)) as pilot:
        await says(pilot, "till")
        await until(pilot, lambda: {"alerts"} == {"alerts", "mute"} & enabled(pilot))
        await pilot.press("m")
        await pilot.pause(0.1)

    assert not alerts.requests("PUT", "/v1/apps/shop/mute")


@pytest.mark.parametrize("muted", [False, True])
async def test_an_outage_is_told_at_once_unless_its_app_is_muted(alerts: FakeApi, muted: bool) -> None:
    shop = answers.app(muted_until=UNTIL if muted else None)
    alerts.gives("GET", "/v1/apps", {"apps": [shop, answers.app("till")]})
    away = Events().add("outage", version="v1", health="stopped", cause="the shop is closed").all
    old = [one | {"at": before(minutes=5)} for one in away]
    new = [one | {"id": 2, "at": NOW.isoformat(), "app": app} for one in away for app in ("shop", "till")]
    alerts.events = [*old, *new]
    async with panel_of(alerts).run_test(size=(140, 30)) as pilot:
        await tells(pilot, "till is away")
        told = [one.message for one in pilot.app._notifications if "away" in one.message]

    assert told == [f"{app} is away: the shop is closed" for app in (["till"] if muted else ["shop", "till"])]


def test_the_command_lists_alerts_and_the_next_page(alerts: FakeApi) -> None:
    alerts.gives("GET", "/v1/alerts", {"alerts": answers.alerts(), "before": 7})

    done = changeover("alerts", "--app", "shop", "--since", "2d", "--limit", "4")

    assert done.exit_code == 0
    assert "failed over to the standby (muted)" in done.output
    assert "Older ones: changeover alerts --app shop --since 2d --limit 4 --before 7" in done.output
    (asked,) = alerts.requests("GET", "/v1/alerts")
    assert asked.query["app"] == "shop"
    assert asked.query["since"]


def test_the_command_mutes_for_as_long_as_is_said(alerts: FakeApi) -> None:
    done = changeover("mute", "shop", "--for", "30m")

    assert done.exit_code == 0
    assert "End it with: changeover unmute shop" in done.output
    assert alerts.requests("PUT", "/v1/apps/shop/mute")[0].body == {"hours": 0.5}
    assert "not muted any more" in changeover("unmute", "shop").output


@pytest.mark.parametrize("length", ["", "4", "8d", "0h", "-4h", "four", "4h4h"])
def test_a_length_that_is_none_is_refused_with_what_is_expected(alerts: FakeApi, length: str) -> None:
    assert changeover("mute", "shop", "--for", length).exit_code == 2
    assert not alerts.requests("PUT", "/v1/apps/shop/mute")


def test_status_says_until_when_an_app_is_muted(alerts: FakeApi) -> None:
    alerts.gives("GET", "/v1/apps", {"apps": [answers.app(muted_until="2999-03-14T16:00:00+00:00")]})

    assert "shop: muted until 2999-03-14 17:00" in changeover("status").output

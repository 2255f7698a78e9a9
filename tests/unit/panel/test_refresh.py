"""What the panel shows changes with each answer, however long that takes; and it says when what it shows is old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from panel.app import PanelApp
from panel.client.errors import Unreachable
from panel.client.events import Event
from panel.client.model import Apps
from panel.refresh import Refresh
from panel.screens.dashboard import DashboardScreen
from panel.text.moments import IN_UTC, OWN
from panel.widgets.apps.list import AppsList
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.client import OneStream
from tests.support.screen import shown

SOON, LONG_S = 0.01, 10.0


class Slow(OneStream):
    """Answers the nth request for the apps with the version vN, `takes_s` later; with an error if it is `away`.

    With `busy`, events that change the apps come all the time."""

    def __init__(self, takes_s: float = 0.0, *, busy: bool = False) -> None:
        super().__init__("http://127.0.0.1:1", "co_secret")
        self._takes_s, self._busy = takes_s, busy
        self.away = False
        self.asked = self.at_once = self.most_at_once = 0

    async def events(
        self, after: int | None = None, deployment: str = "", recent: int = 0
    ) -> AsyncGenerator[Event, None]:
        while True:
            await asyncio.sleep(0.002 if self._busy else 3600)
            yield Event.model_validate(answers.Events().add("health", health="healthy").all[0])

    async def status(self) -> Apps:
        self.asked += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            version = f"v{self.asked}"
            await asyncio.sleep(self._takes_s)
            if self.away:
                raise Unreachable("Nothing answers at http://127.0.0.1:1: away.", "Start it.")
            return Apps.model_validate({"apps": [answers.app(active=answers.slot(version))]})
        finally:
            self.at_once -= 1


@pytest.mark.parametrize("busy", [False, True], ids=["the interval is shorter", "events come faster"])
async def test_an_answer_that_takes_longer_than_the_pause_between_requests_is_shown(
    monkeypatch: pytest.MonkeyPatch, busy: bool
) -> None:
    monkeypatch.setattr("panel.app.REFRESH_S", 3600.0 if busy else 0.02)
    client = Slow(0.1, busy=busy)
    app = PanelApp(client, clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot, asyncio.timeout(LONG_S):
        while "v3" not in shown(pilot):
            await pilot.pause(SOON)

    assert client.most_at_once == 1


async def test_a_call_while_another_one_waits_asks_nothing_more_and_the_last_answer_is_newer_than_all_calls() -> None:
    asked: list[asyncio.Event] = []

    async def ask() -> None:
        asked.append(asyncio.Event())
        await asked[-1].wait()

    refresh = Refresh(ask, lambda: NOW, 15)
    calls = [asyncio.ensure_future(refresh.again()) for _ in range(5)]
    await asyncio.sleep(SOON)
    assert len(asked) == 1
    asked[0].set()
    await asyncio.sleep(SOON)
    assert len(asked) == 2
    asked[1].set()
    await asyncio.gather(*calls)
    assert len(asked) == 2


@pytest.mark.parametrize("which", [0, 1], ids=["that asks", "that waits"])
async def test_a_cancelled_call_lets_the_next_one_ask(which: int) -> None:
    asked: list[int] = []

    async def ask() -> None:
        asked.append(1)
        await asyncio.sleep(0.05)

    refresh = Refresh(ask, lambda: NOW, 15)
    calls = [asyncio.ensure_future(refresh.again()) for _ in range(2)]
    await asyncio.sleep(SOON)
    calls[which].cancel()
    await asyncio.wait(calls)
    async with asyncio.timeout(LONG_S):
        await refresh.again()

    assert len(asked) == 3 - which


async def test_its_age_is_told_while_no_answer_comes() -> None:
    now_s = 100.0
    never = asyncio.Event()
    answered = True

    async def ask() -> None:
        if not answered:
            await never.wait()

    refresh = Refresh(ask, lambda: NOW + timedelta(seconds=now_s), 15, lambda: now_s, lambda: IN_UTC)
    assert refresh.stale == ""
    await refresh.again()
    answered = False
    asking = asyncio.ensure_future(refresh.again())
    now_s += 14
    assert refresh.stale == ""
    now_s += 2
    assert refresh.stale == "The orchestrator has not answered for 16 s. What is shown is as of 12:01:40."
    never.set()
    await asking
    assert refresh.stale == ""


async def test_the_panel_says_of_what_time_it_is_while_the_orchestrator_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("panel.app.REFRESH_S", 0.02)
    client = Slow()
    app = PanelApp(client, clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot, asyncio.timeout(LONG_S):
        while not isinstance(app.screen, DashboardScreen) or not app.screen.query_one(AppsList).selected:
            await pilot.pause(SOON)
        client.away = True
        says = f"Nothing answers at http://127.0.0.1:1: away. Start it. What is shown is as of {OWN.to_second(NOW)}."
        while says not in shown(pilot):
            await pilot.pause(SOON)
        before = client.asked
        while client.asked < before + 5:
            await pilot.pause(SOON)
        assert len(app._notifications) == 1, "an error that stays is told once"
        client.away = False
        while says in shown(pilot):
            await pilot.pause(SOON)


async def test_the_panel_says_that_an_orchestrator_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.app.REFRESH_S", 0.02)
    monkeypatch.setattr("panel.app.STALE_S", 0.05)
    app = PanelApp(Slow(3600.0), clock=lambda: NOW)
    async with app.run_test(size=(120, 40)) as pilot, asyncio.timeout(LONG_S):
        while "The orchestrator has not answered for" not in shown(pilot) or "Nothing is known yet." not in shown(
            pilot
        ):
            await pilot.pause(SOON)

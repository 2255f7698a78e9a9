"""Where a person had scrolled to comes back in the next process: in the list, in each tab, and in the logs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.log_model import LogEntry, LogOrigin, LogOrigins
from panel.client.log_requests import NO_QUERY, LogQuery
from panel.client.model import Deployment, Deployments
from panel.session.form import as_text, read_text
from panel.session.state import DashboardState, LogState, Place, SessionState, TabState
from panel.widgets.apps.list import AppsList
from panel.widgets.logs.pane import LogsPane
from panel.widgets.overview.pane import OverviewPane
from panel.widgets.table import Table
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.screen import shown
from tests.unit.panel.dashboard.test_dashboard import WITHIN_S, Host, until

LINES = 300


class Long(Host):
    """Everything is longer than the screen."""

    def __init__(self) -> None:
        super().__init__(more=97)
        self.asked: list[LogQuery] = []

    async def history(self, app: str, limit: int = 20, before: int | None = None) -> Deployments:
        found = [answers.failed(id=f"d{number}") for number in range(limit)]
        return Deployments(deployments=tuple(Deployment.model_validate(one) for one in found))

    async def log_origins(self, app: str) -> LogOrigins:
        one = LogOrigin(container=f"{app}-blue", place="active", deployment="d1", colour="blue", version="v1")
        return LogOrigins(logs=(one,))

    async def follow_logs(
        self, app: str, tail: int, query: LogQuery = NO_QUERY
    ) -> AsyncGenerator[LogEntry | None, None]:
        self.asked.append(query)
        for number in range(LINES):
            yield LogEntry(text=f"line {number}", container=f"{app}-blue", at=NOW + timedelta(seconds=number))
        await asyncio.sleep(3600)


class Next(PanelApp):
    def __init__(self, state: SessionState | None, host: Host | None = None) -> None:
        super().__init__(host or Long(), clock=lambda: NOW)
        self._state_before = state

    def on_ready(self) -> None:
        self.begin(self._state_before)


def stored(panel: PanelApp) -> SessionState:
    return read_text(as_text(panel.state))


async def ready(pilot: Pilot[Any], panel: PanelApp) -> None:
    await until(pilot, lambda: panel.restored.is_set() and "shop" in shown(pilot))


async def at_rest(pilot: Pilot[Any]) -> None:
    """Whatever would move it once more has moved it."""
    for _ in range(5):
        await pilot.pause(0.05)


async def test_the_list_is_scrolled_as_it_was() -> None:
    one = Next(None)
    async with one.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await ready(pilot, one)
        await pilot.press(*["pagedown"] * 3, "up", "up")
        await at_rest(pilot)
        state = stored(one)
    assert state.dashboard.top > 0

    two = Next(state)
    async with two.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        apps = two._dashboard.query_one(AppsList)
        await until(pilot, lambda: apps.scroll_offset.y == state.dashboard.top)
        await at_rest(pilot)
        assert (apps.scroll_offset.y, apps.selected) == (state.dashboard.top, state.selected)
        assert two.state.dashboard.top == state.dashboard.top


async def test_each_tab_that_was_opened_is_scrolled_as_it_was_also_when_it_is_opened_later() -> None:
    one = Next(None)
    async with one.run_test(size=(120, 16)) as pilot, asyncio.timeout(WITHIN_S):
        await ready(pilot, one)
        await pilot.press("down", "2", "enter")
        await until(pilot, lambda: one.screen.query_one(Table).row_count == 50)
        await pilot.press(*["pagedown"] * 3, *["up"] * 4)
        await at_rest(pilot)
        await pilot.press("1")
        one.screen.query_one(OverviewPane).scroll_to(y=3, animate=False)
        await at_rest(pilot)
        state = stored(one)
    place = state.dashboard.tabs["deployments"].at["Table"]
    assert (place.y > 0, state.dashboard.tabs["overview"].at["OverviewPane"].y) == (True, 3)

    two = Next(state)
    async with two.run_test(size=(120, 16)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: two.screen.query_one(OverviewPane).scroll_offset.y == 3)
        assert two.state.dashboard.tabs == state.dashboard.tabs, "what is not opened yet is not forgotten"
        await pilot.press("2")
        await until(pilot, lambda: bool(two.screen.query(Table)))
        table = two.screen.query_one(Table)
        await until(pilot, lambda: table.scroll_offset.y == place.y)
        await at_rest(pilot)
        assert stored(two).dashboard.tabs["deployments"].at["Table"] == place
        await pilot.press("enter", "pageup")
        await until(pilot, lambda: table.scroll_offset.y < place.y)


async def test_the_logs_are_filtered_and_scrolled_as_they_were() -> None:
    one = Next(None)
    async with one.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await ready(pilot, one)
        await pilot.press("3", "enter")
        await until(pilot, lambda: "line 299" in shown(pilot))
        await pilot.press("l", "c", "down", "enter")
        await until(pilot, lambda: "line 299" in shown(pilot))
        await pilot.press("slash", *"line", "enter", *["pageup"] * 4)
        await until(pilot, lambda: "not following" in shown(pilot))
        await at_rest(pilot)
        state = stored(one)
        lines = one.screen.query_one(LogsPane).view.shown()
    log = state.dashboard.tabs["logs"].log
    assert log is not None
    assert (log.container, log.level, log.search) == ("shop-blue", "info", "line")

    host = Long()
    two = Next(state, host)
    async with two.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: bool(two.screen.query(LogsPane)))
        pane = two.screen.query_one(LogsPane)
        await until(pilot, lambda: pane.view.shown() == lines)
        await at_rest(pilot)
        assert pane.view.shown() == lines
        assert stored(two).dashboard.tabs["logs"].log == log
        assert host.asked[-1] == LogQuery("shop-blue", level="info")
        assert "not following" in shown(pilot)
        assert "'line'" in shown(pilot)


async def test_a_log_that_was_followed_is_followed_and_a_container_that_is_gone_is_not_asked_for() -> None:
    log = LogState(container="gone", level="weather")
    state = SessionState(
        selected="shop", dashboard=DashboardState(tab="logs", tabs={"logs": TabState(app="shop", log=log)})
    )
    host = Long()
    panel = Next(state, host)
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "line 299" in shown(pilot) and "all containers · following" in shown(pilot))
        assert host.asked[-1] == LogQuery("all")


async def test_places_that_are_not_there_any_more_move_nothing() -> None:
    far = {"overview": TabState(app="shop", at={"OverviewPane": Place(y=10_000_000), "weather": Place(y=3)})}
    tabs = far | {"weather": TabState(app="shop"), "deployments": TabState(app="gone", at={"Table": Place(row="x")})}
    state = SessionState(selected="gone", dashboard=DashboardState(top=10_000_000, tabs=tabs))
    panel = Next(state)
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await ready(pilot, panel)
        await at_rest(pilot)
        assert panel._dashboard.query_one(AppsList).scroll_offset.y == 0
        await pilot.press("2")
        await until(pilot, lambda: bool(panel.screen.query(Table)))
        await at_rest(pilot)
        assert panel.screen.query_one(Table).cursor_row == 0


async def test_a_person_who_moves_is_not_moved_any_more() -> None:
    far = {"deployments": TabState(app="shop", at={"Table": Place(y=4000)})}
    state = SessionState(selected="shop", dashboard=DashboardState(tab="deployments", in_tab=True, tabs=far))
    panel = Next(state)
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: bool(panel.screen.query(Table)) and panel.screen.query_one(Table).row_count == 50)
        table = panel.screen.query_one(Table)
        await until(pilot, lambda: panel.focused is table)
        assert panel.state.dashboard.tabs == far
        await pilot.press("down")
        await until(pilot, lambda: panel.state.dashboard.tabs["deployments"].at == {"Table": Place(row="d1")})

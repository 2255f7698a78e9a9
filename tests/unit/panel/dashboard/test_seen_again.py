"""What a person sees of the dashboard comes back in the next process."""

from __future__ import annotations

import asyncio

from panel.app import PanelApp
from panel.session.state import DashboardState, SessionState
from panel.widgets.apps.list import AppsList
from panel.widgets.tabs.app_tabs import AppTabs
from tests.support.api_answers import NOW
from tests.support.screen import shown
from tests.unit.panel.dashboard.test_dashboard import WITHIN_S, Host, dashboard, names, until


async def saved(*keys: str) -> SessionState:
    async with dashboard() as pilot:
        await pilot.press(*keys)
        await pilot.pause(0.3)
        panel = pilot.app
        assert isinstance(panel, PanelApp)
        return SessionState.model_validate_json(panel.state.model_dump_json())


class Next(PanelApp):
    """The panel of the next process, which continues there."""

    def __init__(self, state: SessionState, host: Host | None = None) -> None:
        super().__init__(host or Host(), clock=lambda: NOW)
        self._before = state

    def on_ready(self) -> None:
        self.begin(self._before)


async def test_tab_order_filter_focus_and_draft_are_as_they_were() -> None:
    state = await saved("s", "g", "slash", *"o", "enter", "down", "2", "enter", "colon", *"deploy sh")
    wanted = DashboardState(
        tab="deployments", in_tab=state.dashboard.in_tab, tabs=state.dashboard.tabs, words="o",
        sort="name", grouped=True, console=True, draft="deploy sh",
    )  # fmt: skip
    assert state.dashboard == wanted

    panel = Next(state)
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "deploy sh" in shown(pilot) and "[2 Deployments]" in shown(pilot))
        assert names(pilot) == ("blog", "shop")
        assert panel.state.selected == state.selected
        assert panel.state.dashboard.model_copy(update={"in_tab": False}) == wanted.model_copy(update={"in_tab": False})


async def test_a_draft_that_comes_back_is_gone_on_with() -> None:
    """All of it was selected: the next key replaced it."""
    panel = Next(await saved("colon", *"deploy sh"))
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "deploy sh" in shown(pilot))
        await pilot.pause(0.3)
        await pilot.press("o")
        await until(pilot, lambda: panel.state.dashboard.draft == "deploy sho")


async def test_the_keys_go_to_the_tab_where_they_went_there() -> None:
    state = await saved("2", "enter", "z")
    assert (state.dashboard.in_tab, state.dashboard.alone) == (True, True)

    panel = Next(state)
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        tabs = panel._dashboard.query_one(AppTabs)
        await until(pilot, lambda: panel.screen.focused is not None and tabs in panel.screen.focused.ancestors)
        assert "till" not in shown(pilot)


async def test_what_another_release_calls_otherwise_is_as_in_a_new_session() -> None:
    panel = Next(SessionState(selected="gone", dashboard=DashboardState(tab="weather", sort="by the moon")))
    async with panel.run_test(size=(120, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "[1 Overview]" in shown(pilot) and len(names(pilot)) == 3)
        assert panel._dashboard.query_one(AppsList).selected == "shop"

"""What a person sees of the dashboard, as state that is saved, and how it is shown again."""

from __future__ import annotations

from typing import Any

from textual.screen import Screen
from textual.widgets import Input

from panel.screens.tab_keys import TabKeys
from panel.screens.whole import is_whole
from panel.session.state import DashboardState
from panel.widgets.apps.list import AppsList
from panel.widgets.apps.order import Sort, View
from panel.widgets.console.console import Console
from panel.widgets.overview.pane import SPANS_S
from panel.widgets.tabs.app_tabs import AppTabs

ALONE = "-alone"
"""The class of the dashboard while the selected app has the whole screen."""


def seen(dashboard: Screen[Any]) -> DashboardState:
    """What is seen now; the state of a new dashboard, before it has its widgets."""
    if not is_whole(dashboard):
        return DashboardState()
    tabs, console = dashboard.query_one(AppTabs), dashboard.query_one(Console)
    arranged = dashboard.query_one(AppsList).view
    return DashboardState(
        tab=tabs.active,
        in_tab=dashboard.focused is not None and tabs in dashboard.focused.ancestors,
        alone=dashboard.has_class(ALONE),
        words=arranged.words,
        sort=arranged.sort,
        grouped=arranged.grouped,
        faults_only=arranged.faults_only,
        top=dashboard.query_one(AppsList).top,
        tabs=tabs.places,
        console=console.is_open,
        draft=console.draft,
        span_s=dashboard.span_s if isinstance(dashboard, TabKeys) else SPANS_S[0],
        audit=isinstance(dashboard, TabKeys) and dashboard.has_audit,
    )


def see_again(dashboard: Screen[Any], state: DashboardState) -> None:
    """Show that again. What another release calls otherwise is left as it is. The keys go where they went, last."""
    if not is_whole(dashboard):
        return
    apps, tabs, console = dashboard.query_one(AppsList), dashboard.query_one(AppTabs), dashboard.query_one(Console)
    sort = next((one for one in Sort if one == state.sort), Sort.FILE)
    apps.look(View(state.words, sort, state.grouped, state.faults_only))
    apps.go_back(state.top)
    words = dashboard.query_one("#filter", Input)
    with words.prevent(Input.Changed):
        words.value = state.words
    words.set_class(bool(state.words), "-open")
    dashboard.set_class(state.alone, ALONE)
    if isinstance(dashboard, TabKeys):
        dashboard.show_span(state.span_s)
        dashboard.has_audit = state.audit
    tabs.go_back(state.tabs)
    tabs.open(state.tab)
    if state.in_tab:
        tabs.call_after_refresh(tabs.focus_shown)
    if state.console:
        console.open(state.draft)

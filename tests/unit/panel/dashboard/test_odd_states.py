"""Whatever a state says that can be read, the panel shows something, and no process ends of it."""

from __future__ import annotations

import asyncio

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from panel.session.form import NotReadable, read, stored
from panel.session.state import (
    FARTHEST,
    DashboardState,
    LogState,
    OpenQuestion,
    Place,
    SessionState,
    TabState,
)
from tests.unit.panel.dashboard.test_dashboard import WITHIN_S, until
from tests.unit.panel.dashboard.test_places import Next

ODD_TEXT = "[/red]\x1b]0;x\x07\x00\r\n\t\u202e" + "🆕" * 300
NAMES = st.sampled_from(["", "shop", "till", "overview", "logs", "data", "deployments", "Table", ODD_TEXT]) | st.text()
OFFSETS = st.sampled_from([0, 1, 20, FARTHEST])
PLACES = st.dictionaries(NAMES, st.builds(Place, x=OFFSETS, y=OFFSETS, row=NAMES), max_size=3)
LOGS = st.builds(LogState, container=NAMES, level=NAMES, search=NAMES, top=st.none() | st.datetimes())
TABS = st.dictionaries(NAMES, st.builds(TabState, app=NAMES, at=PLACES, log=st.none() | LOGS), max_size=4)
DASHBOARDS = st.builds(
    DashboardState, tab=NAMES, words=NAMES, sort=NAMES, draft=NAMES, top=OFFSETS, tabs=TABS, console=st.booleans(),
    in_tab=st.booleans(), alone=st.booleans(), grouped=st.booleans(), faults_only=st.booleans(),
    span_s=st.integers(),
)  # fmt: skip
STATES = st.builds(
    SessionState, release=NAMES, selected=NAMES, dashboard=DASHBOARDS, told=st.dictionaries(NAMES, NAMES, max_size=2),
    question=st.none() | st.builds(OpenQuestion, kind=NAMES, app=NAMES, about=NAMES),
)  # fmt: skip
EVERYTHING_ODD = SessionState(
    release=ODD_TEXT,
    selected="shop",
    told={ODD_TEXT: ODD_TEXT},
    question=OpenQuestion(kind=ODD_TEXT, app="shop", about=ODD_TEXT),
    dashboard=DashboardState(
        tab="logs", words="", sort=ODD_TEXT, console=True, draft=ODD_TEXT, in_tab=True, alone=True, top=FARTHEST,
        tabs={"logs": TabState(app="shop", at={ODD_TEXT: Place()}, log=LogState(container=ODD_TEXT, search=ODD_TEXT))},
    ),
)  # fmt: skip


@settings(max_examples=8, suppress_health_check=list(HealthCheck))
@example(EVERYTHING_ODD)
@given(STATES)
def test_any_state_is_shown(state: SessionState) -> None:
    try:
        before = read(stored(state))
    except NotReadable:
        return
    asyncio.run(_shown(before))


async def _shown(state: SessionState) -> None:
    panel = Next(state)
    async with panel.run_test(size=(120, 30)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, panel.restored.is_set)
        await pilot.pause(0.1)
        assert read(stored(panel.state)).release

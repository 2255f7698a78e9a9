"""The tab Events: the events of an app or who did what to it, by one key."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.access_model import AuditEntries, AuditEntry, Session
from panel.widgets.events.pane import Choice
from panel.widgets.table import Table
from tests.support.screen import shown
from tests.unit.panel.dashboard.test_dashboard import WITHIN_S, Host, dashboard, until
from tests.unit.panel.dashboard.test_seen_again import Next


def entry(number: int, app: str, outcome: str) -> AuditEntry:
    return AuditEntry(
        id=number, at=datetime(2026, 3, 14, 9, number, tzinfo=UTC), who="ann", origin="127.0.0.1",
        action=f"deploy {number} of {app}", app=app, status=200 if outcome == "done" else 403, outcome=outcome,
    )  # fmt: skip


class Audited(Host):
    """Two pages of each app's entries, of which the first entry was refused."""

    def __init__(self, scope: str = "admin") -> None:
        super().__init__()
        self._scope = scope
        self.asked: list[tuple[str, int | None, bool]] = []

    async def session(self, *, used: bool = False) -> Session:
        return Session(token="ann", scope=self._scope)

    async def audit(
        self, limit: int = 50, before: int | None = None, *, app: str = "", who: str = "", refused: bool = False
    ) -> AuditEntries:
        self.asked.append((app, before, refused))
        if before:
            return AuditEntries(entries=(entry(1, app, "refused"),))
        first = () if refused else (entry(5, app, "done"),)
        return AuditEntries(entries=first, before=5)


async def in_the_audit_of_shop(pilot: Pilot[Any]) -> None:
    await pilot.press("6")
    await until(pilot, lambda: "[Events]  Who did what" in shown(pilot))
    await pilot.press("e")
    await until(pilot, lambda: "Events  [Who did what]" in shown(pilot) and "deploy 5 of shop" in shown(pilot))


async def test_e_shows_who_did_what_to_the_app_and_its_events_again() -> None:
    host = Audited()
    async with dashboard(columns=200, host=host) as pilot:
        await in_the_audit_of_shop(pilot)
        await pilot.press("down")
        await until(pilot, lambda: "deploy 5 of till" in shown(pilot) and "deploy 5 of shop" not in shown(pilot))
        await pilot.press("E")
        await until(pilot, lambda: "[Events]  Who did what" in shown(pilot) and "deploy 5" not in shown(pilot))
        before = len(host.asked)
        await pilot.press("up")
        await until(pilot, lambda: "http" not in shown(pilot) and "shop" in shown(pilot))
        assert len(host.asked) == before, "what nobody sees is not asked for"
        await pilot.press("e")
        await until(pilot, lambda: "deploy 5 of shop" in shown(pilot))

    assert {app for app, _, _ in host.asked} == {"shop", "till"}


async def test_nothing_is_asked_for_before_it_is_chosen() -> None:
    host = Audited()
    async with dashboard(host=host) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: "[Events]  Who did what" in shown(pilot))
        assert not pilot.app.screen.query("AuditTable")
        assert host.asked == []


async def test_the_keys_of_the_audit_log_work_in_the_tab() -> None:
    host = Audited()
    async with dashboard(columns=200, host=host) as pilot:
        await in_the_audit_of_shop(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen.focused, Table))
        await pilot.press("m")
        await until(pilot, lambda: "deploy 1 of shop" in shown(pilot))
        await pilot.press("r")
        await until(pilot, lambda: "No entries." in shown(pilot) and "deploy 1 of shop" not in shown(pilot))
        await pilot.press("e")
        await until(pilot, lambda: "[Events]" in shown(pilot))
        assert pilot.app.screen.focused is not None
        assert pilot.app.screen.focused.id == "events-of-one", "the keys stay in the tab"

    assert host.asked == [("shop", None, False), ("shop", 5, False), ("shop", None, True)]


async def test_a_click_shows_the_other_one() -> None:
    async with dashboard(columns=200, host=Audited()) as pilot:
        await pilot.press("6")
        await until(pilot, lambda: "[Events]  Who did what" in shown(pilot))
        await pilot.click(Choice)
        await until(pilot, lambda: "deploy 5 of shop" in shown(pilot))


async def test_who_may_not_see_the_audit_log_is_not_offered_it() -> None:
    host = Audited(scope="deploy")
    async with dashboard(columns=200, host=host) as pilot:
        await pilot.press("6", "e")
        await until(pilot, lambda: "[6 Events]" in shown(pilot) and "Who did what" not in shown(pilot))
        assert "E Events or audit" not in shown(pilot)

    assert host.asked == []


async def test_another_process_goes_on_with_the_audit_log() -> None:
    async with dashboard(columns=200, host=Audited()) as pilot:
        await in_the_audit_of_shop(pilot)
        panel = pilot.app
        assert isinstance(panel, PanelApp)
        await until(pilot, lambda: panel.state.dashboard.audit)
        state = panel.state

    following = Next(state, Audited())
    async with following.run_test(size=(200, 40)) as pilot, asyncio.timeout(WITHIN_S):
        await until(pilot, lambda: "Events  [Who did what]" in shown(pilot) and "deploy 5 of shop" in shown(pilot))

"""The log of events, whatever is shown when events come, and in whatever width."""

from __future__ import annotations

from typing import Any

from textual.pilot import Pilot

from panel.client.events import Event
from panel.screens.dashboard import DashboardScreen
from tests.support.api_answers import Events
from tests.support.screen import shown
from tests.unit.panel.dashboard.test_dashboard import dashboard, until

NOTE = "the new release did not answer in time, and what it printed is in the tab Logs"


def failed_steps(*apps: str) -> list[Event]:
    events = Events()
    for app in apps:
        events.add("step", f"of-{app}", app=app, step="verify", state="failed", note=NOTE)
    return [Event.model_validate(one) for one in events.all]


def left(pilot: Pilot[Any], columns: int) -> str:
    """What stands in the left columns, without line breaks."""
    return " ".join("\n".join(line[:columns] for line in shown(pilot).splitlines()).split())


async def test_the_events_of_an_app_that_was_chosen_in_another_tab_are_shown() -> None:
    """What was written into a hidden log was wrapped for no width, and nothing was there."""
    async with dashboard(rows=23) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DashboardScreen)
        for event in failed_steps("shop", "till"):
            screen.take(event)
        await pilot.press("6")
        await until(pilot, lambda: "of-shop" in shown(pilot))
        await pilot.press("1", "down")
        await until(pilot, lambda: "http://till.localhost" in shown(pilot))
        await pilot.press("6")
        await until(pilot, lambda: "of-till" in shown(pilot) and "of-shop" not in shown(pilot))


async def test_events_that_come_while_another_tab_is_shown_are_there_afterwards() -> None:
    async with dashboard(rows=23) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DashboardScreen)
        await pilot.press("6", "1")
        await until(pilot, lambda: "http://shop.localhost" in shown(pilot))
        screen.take(*failed_steps("shop"))
        await pilot.press("6")
        await until(pilot, lambda: "of-shop" in shown(pilot))


async def test_the_events_are_wrapped_anew_for_another_width() -> None:
    async with dashboard(columns=200) as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, DashboardScreen)
        screen.take(*failed_steps("shop"))
        await until(pilot, lambda: NOTE in left(pilot, 100))
        await pilot.resize_terminal(80, 40)
        await until(pilot, lambda: NOTE in left(pilot, 40))

"""Whoever has a token with scope `read` sees everything, and is offered nothing that it may not do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.palette import key_commands
from panel.screens.progress import ProgressScreen
from panel.screens.startup import StartupScreen
from panel.screens.versions import VersionsScreen
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown
from tests.unit.panel.test_keys import last_line, until

CHANGES = {"Update", "Dismiss", "Roll back", "Mute", "Notices", "Audit", "Deploy", "Skip", "Try again"}
"""What the palette calls that needs more than reading."""


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        session: dict[str, Any] = {"token": "colleague", "scope": "read", "apps": None, "expires_at": None}
        api.gives("GET", "/v1/sessions/current", session)
        api.gives("GET", "/v1/apps", {"apps": [answers.app(update=answers.update(), notify_of=["start"])]})
        yield api


@asynccontextmanager
async def panel_of(api: FakeApi) -> AsyncIterator[Pilot[Any]]:
    panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
    async with panel.run_test(size=(140, 40), notifications=True) as pilot:
        await until(pilot, lambda: isinstance(panel.screen, StartupScreen))
        yield pilot


def offered(pilot: Pilot[Any]) -> set[str]:
    return {one.title.partition(" (")[0] for one in key_commands(pilot.app, pilot.app.screen)}


async def test_the_notice_and_the_dashboard_offer_no_change(api: FakeApi) -> None:
    async with panel_of(api) as pilot:
        assert "[U]" not in shown(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "D Details" in last_line(pilot))
        assert not offered(pilot) & CHANGES
        assert "[U]" not in shown(pilot)
        assert "[X]" not in shown(pilot)
        await pilot.press("u", "y", "b", "y", "x", "m", "a", "n")
        await pilot.pause(0.2)
        assert [path for method, path in asked(api) if method != "GET"] == []
        assert "/v1/audit" not in [path for _, path in asked(api)]


async def test_the_details_and_the_versions_offer_no_deployment(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps/shop/update/versions", {"versions": []})
    async with panel_of(api) as pilot:
        await pilot.press("enter", "d")
        await until(pilot, lambda: "UPDATE DETAILS" in shown(pilot))
        assert "[U]" not in shown(pilot)
        await pilot.press("escape", "v")
        await until(pilot, lambda: isinstance(pilot.app.screen, VersionsScreen))
        assert not offered(pilot) & CHANGES


async def test_a_failed_update_is_shown_without_a_key_to_try_again(api: FakeApi) -> None:
    api.gives("GET", "/v1/apps/shop/deployments", {"deployments": [answers.failed(id="d42")]})
    api.gives("GET", "/v1/deployments/d42", answers.failed(id="d42"))
    api.events = answers.Events().add("started", "d42").add("failed", "d42").add("ended", "d42").all
    async with panel_of(api) as pilot:
        await pilot.press("enter", "p")
        await until(pilot, lambda: isinstance(pilot.app.screen, ProgressScreen))
        await until(pilot, lambda: "[C] Copy" in shown(pilot))
        assert "Try again" not in shown(pilot)
        await pilot.press("t")
        await pilot.pause(0.2)
        assert [path for method, path in asked(api) if method != "GET"] == []


def asked(api: FakeApi) -> list[tuple[str, str]]:
    return [(one.method, one.path) for one in api.asked]

"""What matters is shown in a terminal of 80 columns, and the health of an app in one of 50."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.widgets.banner import available
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

WHY = "The deployment cannot be cancelled: the traffic is being switched."
ACTION = "POST /v1/apps/a-shop-with-a-long-name/deployments/d42/cancel"
KEYS = ("[U] Update", "[D] Details", "[X] Dismiss")
ENTRY = {
    "id": 1, "at": "2026-11-24T09:31:00Z", "who": "ci", "origin": "203.0.113.7", "action": ACTION, "app": "shop",
    "status": 409, "outcome": "refused", "reason": WHY,
}  # fmt: skip


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        panel = answers.app("panel", active=answers.slot("v0.0.526", "green"), update=answers.update("v0.0.527"))
        api.gives("GET", "/v1/apps", {"apps": [panel | {"health": "unhealthy"}]})
        api.gives("GET", "/v1/audit", {"before": None, "entries": [ENTRY, ENTRY | {"id": 2, "reason": "Another."}]})
        yield api


@asynccontextmanager
async def panel_of(api: FakeApi, columns: int) -> AsyncIterator[Pilot[Any]]:
    panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
    async with panel.run_test(size=(columns, 24)) as pilot:
        await until(pilot, lambda: "v0.0.526" in shown(pilot))
        yield pilot


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause(0.01)
    await pilot.pause()


async def test_health_is_shown_beside_the_name(api: FakeApi) -> None:
    async with panel_of(api, 80) as pilot:
        await until(pilot, lambda: "✗ panel  G v0.0.526 unhealthy" in shown(pilot))


async def test_on_a_phone_health_is_shown_below_the_name(api: FakeApi) -> None:
    async with panel_of(api, 50) as pilot:
        await until(pilot, lambda: "✗ panel" in shown(pilot))
        lines = [line.split() for line in shown(pilot).splitlines()]

    assert lines[lines.index(["✗", "panel", "G", "v0.0.526"]) + 1] == ["unhealthy"]


@pytest.mark.parametrize("columns", [120, 100, 80])
async def test_the_banner_of_an_update_is_one_line(api: FakeApi, columns: int) -> None:
    async with panel_of(api, columns) as pilot:
        await until(pilot, lambda: "Update available" in shown(pilot))
        said = [line for line in shown(pilot).splitlines() if "🆕" in line]

    assert len(said) == 1
    assert all(word in said[0] for word in ("panel v0.0.527", *KEYS))


@pytest.mark.parametrize("columns", [60, 50, 36])
async def test_a_banner_that_must_be_folded_is_folded_between_keys_and_whole(api: FakeApi, columns: int) -> None:
    async with panel_of(api, columns) as pilot:
        await until(pilot, lambda: "🆕" in shown(pilot))
        says = shown(pilot)

    assert all(word in says for word in ("🆕 panel v0.0.527", *KEYS))


@pytest.mark.parametrize("width", range(24, 100))
def test_no_line_of_the_banner_is_wider_than_its_room_and_no_word_is_lost(width: int) -> None:
    lines = available("panel", "v0.0.527", width)

    assert all(one.cell_len <= width for one in lines)
    assert all(any(word in one.plain for one in lines) for word in ("panel v0.0.527", *KEYS))
    assert not any(one.plain.endswith((" ", "│")) for one in lines)


@pytest.mark.parametrize("columns", [80, 50])
async def test_the_selected_entry_of_the_audit_log_is_shown_whole(api: FakeApi, columns: int) -> None:
    async with panel_of(api, columns) as pilot:
        await pilot.press("a")
        await until(pilot, lambda: has(pilot, f"{ACTION} by ci, from 203.0.113.7, refused 409: {WHY}"))
        await pilot.press("down")
        await until(pilot, lambda: has(pilot, "203.0.113.7, refused 409: Another."))
        await pilot.press("r")
        await until(pilot, lambda: has(pilot, "refused and failed requests") and has(pilot, WHY))


def has(pilot: Pilot[Any], sentence: str) -> bool:
    """Whether the screen has it, wherever its lines are folded."""
    return "".join(sentence.split()) in "".join(shown(pilot).split())

"""The screen of a failed update: each undo with its mark, try again, copy, and the same when it is opened later."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.screens.progress import CANCELLING, ProgressScreen
from panel.screens.question import QuestionScreen
from tests.support import api_answers as answers
from tests.support.api_answers import NOW, Events, before
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown
from tests.unit.panel.test_failure_shown import until, words

STEPS = ("prepare", "fetch", "build", "backup", "migrate", "start")


def failing() -> Events:
    events = Events().steps("d42", *STEPS).add("step", "d42", step="verify", state="running")
    events.add("step", "d42", step="verify", state="failed", note="It ended.")
    events.add("undo", "d42", step="verify", state="running").add("undo", "d42", step="verify", state="done", seconds=0)
    return events.add("undo", "d42", step="start", state="running")


def failed() -> Events:
    events = failing()
    events.add("undo", "d42", step="start", state="done", says="Removed the candidate shop-green", seconds=0.42)
    events.add("undo", "d42", step="migrate", state="running")
    return events.add("undo", "d42", step="migrate", state="failed", says="Could not undo migrate", seconds=3.0)


@asynccontextmanager
async def progress(api: FakeApi, size: tuple[int, int] = (110, 50)) -> AsyncIterator[tuple[PanelApp, Pilot[Any]]]:
    api.gives("GET", "/v1/apps", {"apps": [answers.app()]})
    api.gives("GET", "/v1/apps/shop", answers.app())
    async with Client(api.url, "co_secret") as client:
        panel = PanelApp(client, clock=lambda: NOW)
        async with panel.run_test(size=size) as pilot:
            await panel.push_screen(ProgressScreen(client, "shop", "d42", panel.clock))
            yield panel, pilot


async def test_each_undo_is_shown_as_it_runs(api: FakeApi) -> None:
    api.events = failing().all
    async with progress(api) as (_panel, pilot):
        await until(pilot, lambda: "Undoing what was done: • Removing the new container" in words(pilot))
        assert "verify" not in words(pilot), "the undo of verify has said nothing"


async def test_a_failure_shows_what_each_undo_took_and_who_serves(api: FakeApi) -> None:
    api.events = failed().add("failed", "d42", step="verify", cause="It ended.").all
    serving = {"answers": True, "says": "v1.0.0 on blue serves: it has answered /healthz."}
    api.gives("GET", "/v1/deployments/d42", answers.failed("d42") | {"failure": answers.FAILURE | {"serving": serving}})
    async with progress(api) as (_panel, pilot):
        await until(pilot, lambda: "UPDATE FAILED" in shown(pilot))
        text = words(pilot)
        assert "• Removed the candidate shop-green ✓ 0.4 s" in text
        assert "• Could not undo migrate ✗ 3.0 s" in text
        assert "Removed the container shop-green." not in text, "the same is not told twice"
        assert "✓ v1.0.0 on blue serves: it has answered /healthz." in text
        assert "[T] Try again" in text


async def test_a_failure_is_copied_as_text(api: FakeApi) -> None:
    api.events = failed().add("failed", "d42", step="verify", cause="It ended.").all
    hostile = answers.FAILURE | {"log": ["\x1b]52;c;YmFk\x07 opening [bold]the shop[/bold]"]}
    api.gives("GET", "/v1/deployments/d42", answers.failed("d42") | {"failure": hostile})
    async with progress(api) as (panel, pilot):
        await until(pilot, lambda: "UPDATE FAILED" in shown(pilot))
        await pilot.press("c")
        await until(pilot, lambda: bool(panel.clipboard))

    assert panel.clipboard.startswith("Deployment d42 of shop, requested 2026-03-14 11:58:00 UTC\n")
    assert "opening [bold]the shop[/bold]" in panel.clipboard
    assert "\x1b" not in panel.clipboard
    assert "✗ 3.0 s" in panel.clipboard


async def test_what_failed_is_tried_again_by_one_key(api: FakeApi) -> None:
    api.events = failed().add("failed", "d42", step="verify", cause="It ended.").all
    api.gives("GET", "/v1/deployments/d42", answers.failed("d42"))
    api.gives("POST", "/v1/apps/shop/deployments", answers.deployment("d43", "queued"))
    async with progress(api) as (panel, pilot):
        await until(pilot, lambda: "UPDATE FAILED" in shown(pilot))
        await pilot.press("t")
        await until(pilot, lambda: isinstance(panel.screen, ProgressScreen) and panel.screen.deployment == "d43")
        assert len(panel.screen_stack) == 3, "Enter leads back to the dashboard"

    (asked,) = api.requests("POST", "/v1/apps/shop/deployments")
    assert asked.body["ref"] == "9be1c3d"


async def test_what_is_live_is_not_tried_again(api: FakeApi) -> None:
    api.events = Events().steps("d42", *STEPS).add("live", "d42", colour="green").all
    api.gives("GET", "/v1/deployments/d42", answers.deployment("d42"))
    async with progress(api) as (_panel, pilot):
        await until(pilot, lambda: "UPDATE COMPLETE" in shown(pilot))
        await pilot.press("t")
        assert "Try again" not in shown(pilot)
        assert not api.requests("POST", "/v1/apps/shop/deployments")


@pytest.mark.parametrize("has_events", [True, False])
async def test_a_failed_update_can_be_opened_later(api: FakeApi, has_events: bool) -> None:
    steps = [{"name": "verify", "state": "failed", "started_at": before(hours=1), "seconds": 2.0, "note": "It ended."}]
    record = answers.failed("d42", ended_at=before(minutes=1), steps=steps)
    api.gives("GET", "/v1/deployments/d42", record)
    if has_events:
        api.gives("GET", "/v1/deployments/d42/events", {"events": failed().all, "after": None})
    async with progress(api) as (_panel, pilot):
        await until(pilot, lambda: "UPDATE FAILED" in shown(pilot))
        assert "failed at verify: The container exited" in words(pilot)
        assert ("✗ 3.0 s" in shown(pilot)) is has_events
        assert not [one for one in api.asked if one.path == "/v1/events" and one.query.get("deployment")]


async def test_after_a_cancel_a_second_escape_says_that_everything_is_undone(api: FakeApi) -> None:
    api.events = Events().steps("d42", "prepare").all
    api.gives("POST", "/v1/deployments/d42/cancel", answers.deployment("d42", "running"))
    async with progress(api) as (panel, pilot):
        await until(pilot, lambda: "until here it can be cancelled" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(panel.screen, QuestionScreen))
        await pilot.press("y")
        await until(pilot, lambda: bool(api.requests("POST", "/v1/deployments/d42/cancel")))
        await pilot.press("escape")
        await until(pilot, lambda: CANCELLING in [one.message for one in panel._notifications])
        assert "What was done is being undone." in shown(pilot)


async def test_the_bar_learns_from_earlier_deployments(api: FakeApi) -> None:
    api.events = Events().steps("d42", "prepare").add("step", "d42", step="build", state="running").all
    took = {"prepare": 1.0, "build": 100.0, "switch": 3.0}
    steps = [
        {"name": name, "state": "done", "started_at": before(hours=1), "seconds": seconds}
        for name, seconds in took.items()
    ]
    earlier = answers.deployment("d41", live_at=before(hours=1), steps=steps)
    api.gives("GET", "/v1/apps/shop/deployments", {"deployments": [earlier], "before": None})
    async with progress(api) as (_panel, pilot):
        await until(pilot, lambda: "(by 1 earlier deployment)" in shown(pilot))

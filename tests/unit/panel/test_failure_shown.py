"""A person who is told of a failure reads why first, and reads it once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import Any

import pytest
from textual.app import App
from textual.containers import VerticalScroll
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.client.events import Event
from panel.screens.progress import ProgressScreen
from panel.widgets.events.log import EventLog
from tests.support import api_answers as answers
from tests.support.api_answers import Events
from tests.support.fakes.api import FakeApi
from tests.support.fakes.client import OneStream
from tests.support.screen import shown

CAUSE = "The container exited with code 1 before it was ready."
STEPS = ("prepare", "fetch", "build", "backup", "migrate", "start")


class Fed(OneStream):
    """Its events come when the test wants them to."""

    def __init__(self, url: str, first: Iterable[Event]) -> None:
        super().__init__(url, "co_secret")
        self.queue: asyncio.Queue[Event] = asyncio.Queue()
        for one in first:
            self.queue.put_nowait(one)

    async def events(
        self, after: int | None = None, deployment: str = "", recent: int | None = None
    ) -> AsyncGenerator[Event, None]:
        while not deployment:
            await asyncio.Event().wait()
        while True:
            yield await self.queue.get()


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            break
        await pilot.pause(0.01)
    assert holds(), shown(pilot)
    await pilot.pause()


def words(pilot: Pilot[Any]) -> str:
    """What is shown, without borders, scroll bars and folds."""
    return " ".join(re.sub("[│▁-▇]", " ", shown(pilot)).split())


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_failure_opens_at_its_cause_however_long_its_log_is(size: tuple[int, int]) -> None:
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [answers.app()]})
        api.gives("GET", "/v1/apps/shop", answers.app())
        failed = answers.failed("d42")
        failed["failure"] = failed["failure"] | {"log": [f"line {'o' * number}." for number in range(50)]}
        api.gives("GET", "/v1/deployments/d42", failed)
        events = Events().steps("d42", *STEPS).add("step", "d42", step="verify", state="failed", note=CAUSE)
        api.events = events.add("failed", "d42", step="verify", cause=CAUSE).all
        panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
        async with panel.run_test(size=size) as pilot:
            await panel.push_screen(ProgressScreen(panel.client, "shop", "d42", panel.clock))

            await until(pilot, lambda: f"failed at verify: {CAUSE}" in words(pilot))
            await until(pilot, lambda: "line ooo." in shown(pilot))


async def test_whoever_reads_on_is_not_moved_when_more_of_the_outcome_comes() -> None:
    with FakeApi() as api:
        api.gives("GET", "/v1/apps", {"apps": [answers.app()]})
        api.gives("GET", "/v1/apps/shop", answers.app())
        changes = [answers.change(f"change {number}") for number in range(60)]
        live = answers.deployment("d42", changes=changes)
        api.gives("GET", "/v1/deployments/d42", live)
        events = Events().steps("d42", *STEPS).add("live", "d42", colour="green")
        events.add("drained", "d42", colour="blue", seconds=30, requests=2)
        *first, drained = (Event.model_validate(one) for one in events.all)
        client = Fed(api.url, first)
        panel = PanelApp(client, clock=lambda: answers.NOW)
        async with panel.run_test(size=(80, 24)) as pilot:
            await panel.push_screen(ProgressScreen(panel.client, "shop", "d42", panel.clock))
            await until(pilot, lambda: "• change 3" in shown(pilot))
            panel.screen.query_one(VerticalScroll).scroll_to(y=40, animate=False)
            await until(pilot, lambda: "• change 30" in shown(pilot))
            api.gives("GET", "/v1/deployments/d42", live | {"cut": {"requests": 2}})
            asked = len(api.requests("GET", "/v1/deployments/d42"))
            client.queue.put_nowait(drained)
            await until(pilot, lambda: len(api.requests("GET", "/v1/deployments/d42")) > asked)
            await pilot.pause(0.2)

            assert "• change 30" in shown(pilot)


async def told(events: Events) -> list[str]:
    """What the log of the dashboard says of these events."""
    log = EventLog()
    async with App[None]().run_test() as pilot:
        await pilot.app.mount(log)
        for one in events.all:
            log.take(Event.model_validate(one))
    return [line.plain.split(" ", 1)[1] for line in log.said]


@pytest.mark.parametrize("kind", ["failed", "cancelled"])
async def test_the_log_of_events_says_the_cause_of_a_failure_once(kind: str) -> None:
    events = Events().add("step", "d42", step="verify", state="failed", note=CAUSE)
    events.add("step", "d41", app="till", step="verify", state="failed", note="Another one.")
    events.add("step", "d44", step="verify", state="failed", note=f"{CAUSE} Raise health.timeout.")
    events.add(kind, "d42", step="verify", cause=CAUSE).add(kind, "d43", step="verify", cause=CAUSE)
    events.add(kind, "d44", step="verify", cause=CAUSE)

    assert await told(events) == [
        f"shop d42 ✗ verify {CAUSE}",
        "till d41 ✗ verify Another one.",
        f"shop d44 ✗ verify {CAUSE} Raise health.timeout.",
        f"shop d42 {kind} at verify",
        f"shop d43 {kind} {CAUSE}",
        f"shop d44 {kind} at verify",
    ]


async def test_the_log_of_events_says_a_cause_that_the_step_has_not_told() -> None:
    events = Events().add("step", "d42", step="verify", state="failed").add("failed", "d42", step="verify", cause=CAUSE)

    assert await told(events) == ["shop d42 ✗ verify", f"shop d42 failed {CAUSE}"]

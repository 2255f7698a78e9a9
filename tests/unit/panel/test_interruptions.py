"""The keys that pause, resume and cancel: each is offered only while it does something, and asks before it does it."""

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
from panel.screens.question import QuestionScreen
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown
from tests.unit.panel.test_keys import last_line, until

BUILDS = {"id": "d42", "state": "running", "step": "build"}
MIGRATES = BUILDS | {"step": "migrate"}
SWITCHES = BUILDS | {"step": "switch"}
PAUSE, RESUME = ("POST", "/v1/apps/shop/pause"), ("POST", "/v1/apps/shop/resume")
CANCEL = ("POST", "/v1/deployments/d42/cancel")
LIVE, PAUSED, DEPLOYED = answers.app(), answers.app(health="paused"), answers.app(deployment=BUILDS)


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        api.gives(*PAUSE, {"app": "shop", "paused": True, "held": True})
        api.gives(*RESUME, {"app": "shop", "paused": False, "held": False})
        api.gives(*CANCEL, answers.deployment("d42", "running"))
        summary = {"requests": [42.0] * 60, "errors": 0.0, "p99": 12.0, "ticks": ""}
        api.gives("GET", "/v1/traffic", {"at": None, "step": 1, "apps": {"shop": summary}})
        yield api


@asynccontextmanager
async def panel_of(api: FakeApi, *apps: dict[str, Any], columns: int = 140) -> AsyncIterator[Pilot[Any]]:
    api.gives("GET", "/v1/apps", {"apps": apps})
    panel = PanelApp(Client(api.url, "co_secret"), clock=lambda: answers.NOW)
    async with panel.run_test(size=(columns, 40), notifications=True) as pilot:
        await until(pilot, lambda: bool(panel._dashboard.selected) and "D Details" in last_line(pilot))
        yield pilot


def offered(pilot: Pilot[Any]) -> set[str]:
    """Of the three, what the line of keys has; the palette has the same."""
    names = {"Pause": "W Pause", "Resume": "W Resume", "Cancel": "C Cancel"}
    found = {name for name, key in names.items() if key in last_line(pilot)}
    commands = {one.title.partition(" (")[0] for one in key_commands(pilot.app, pilot.app.screen)}
    assert commands & set(names) == found
    return found


@pytest.mark.parametrize(
    ("app", "offers"),
    [
        (LIVE, {"Pause"}),
        (PAUSED, {"Resume"}),
        (answers.app(active=None, health="none"), set()),
        (DEPLOYED, {"Pause", "Cancel"}),
        (answers.app(deployment={"id": "d42", "state": "queued", "step": None}), {"Pause", "Cancel"}),
        (answers.app(deployment=MIGRATES, health="paused"), {"Resume", "Cancel"}),
        (answers.app(deployment=SWITCHES), {"Pause"}),
        (answers.app(deployment=BUILDS | {"step": "retire"}), {"Pause"}),
    ],
)
async def test_each_key_is_offered_only_while_it_does_something(
    api: FakeApi, app: dict[str, Any], offers: set[str]
) -> None:
    async with panel_of(api, app) as pilot:
        await until(pilot, lambda: offered(pilot) == offers)
        if "Cancel" not in offers:
            await pilot.press("c")
            assert not isinstance(pilot.app.screen, QuestionScreen)


async def test_the_keys_are_those_of_the_app_under_the_cursor(api: FakeApi) -> None:
    till = answers.app("till", health="paused", deployment=BUILDS)
    async with panel_of(api, LIVE, till) as pilot:
        await until(pilot, lambda: offered(pilot) == {"Pause"})
        await pilot.press("down")
        await until(pilot, lambda: offered(pilot) == {"Resume", "Cancel"})
        await pilot.press("up")
        await until(pilot, lambda: offered(pilot) == {"Pause"})


async def test_a_token_that_only_reads_is_not_offered_them(api: FakeApi) -> None:
    api.gives("GET", "/v1/sessions/current", {"token": "ann", "scope": "read", "apps": None, "expires_at": None})
    async with panel_of(api, DEPLOYED) as pilot:
        await until(pilot, lambda: bool(api.requests("GET", "/v1/sessions/current")))
        await until(pilot, lambda: not offered(pilot))
        await pilot.press("w", "c")
        assert not isinstance(pilot.app.screen, QuestionScreen)


ASKS = [
    (LIVE, "w", PAUSE, ("Each request waits at most 30 s", "42 requests a second", "changeover pause shop")),
    (PAUSED, "W", RESUME, ("all requests that wait", "changeover resume shop")),
    (DEPLOYED, "c", CANCEL, ("takes some seconds", "that is live stays live", "changeover cancel d42")),
    (answers.app(deployment=MIGRATES), "C", CANCEL, ("as long as the migration took", "changeover cancel d42")),
]


@pytest.mark.parametrize(("answer", "times"), [("y", 1), ("n", 0), ("enter", 0), ("escape", 0)])
@pytest.mark.parametrize(("app", "key", "request_", "says"), ASKS)
async def test_each_key_asks_says_what_it_costs_and_names_the_command(
    api: FakeApi,
    app: dict[str, Any],
    key: str,
    request_: tuple[str, str],
    says: tuple[str, ...],
    answer: str,
    times: int,
) -> None:
    async with panel_of(api, app) as pilot:
        await until(pilot, lambda: "12 ms" in shown(pilot))
        await pilot.press(key)
        await until(pilot, lambda: isinstance(pilot.app.screen, QuestionScreen))
        words = " ".join(shown(pilot).replace("│", " ").split())
        assert all(one in words for one in says), words
        await pilot.press(answer)
        await until(pilot, lambda: not isinstance(pilot.app.screen, QuestionScreen))
        if times:
            await until(pilot, lambda: "shop is" in shown(pilot) or "d42 is cancelled" in shown(pilot))

    sent = api.requests(*request_)
    assert len(sent) == times
    if request_ == PAUSE and times:
        assert sent[0].body == {"limit": 30.0}


@pytest.mark.parametrize(("app", "key", "request_", "_says"), ASKS[:3])
async def test_what_is_refused_says_why(
    api: FakeApi, app: dict[str, Any], key: str, request_: tuple[str, str], _says: tuple[str, ...]
) -> None:
    api.refuses(*request_, 409, detail="Deployment d42 has begun its switch.", remedy="Wait for it.")
    async with panel_of(api, app) as pilot:
        await pilot.press(key, "y")
        await until(pilot, lambda: "has begun its switch" in shown(pilot) and "Wait for it." in shown(pilot))


async def test_what_cannot_be_cancelled_any_more_is_not_asked_about(api: FakeApi) -> None:
    async with panel_of(api, DEPLOYED) as pilot:
        panel = pilot.app
        assert isinstance(panel, PanelApp)
        await pilot.press("c")
        await until(pilot, lambda: isinstance(panel.screen, QuestionScreen))
        api.gives("GET", "/v1/apps", {"apps": [answers.app(deployment=SWITCHES)]})
        await panel._apps.again()
        await until(pilot, lambda: not isinstance(panel.screen, QuestionScreen))
        await until(pilot, lambda: "cannot be cancelled any more" in shown(pilot))
        assert offered(pilot) == {"Pause"}

    assert api.requests(*CANCEL) == []


async def test_the_screen_of_the_progress_asks_the_same(api: FakeApi) -> None:
    api.events.extend(answers.Events().add("step", "d42", step="migrate", state="running").all)
    async with panel_of(api, answers.app(deployment=MIGRATES)) as pilot:
        panel = pilot.app
        assert isinstance(panel, PanelApp)
        await panel.push_screen(ProgressScreen(panel.client, "shop", "d42", panel.clock))
        await until(pilot, lambda: "Running migrations" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "changeover cancel d42" in shown(pilot))
        assert "It is at its step migrate" in shown(pilot)


async def test_an_app_that_is_paused_says_how_it_goes_on(api: FakeApi) -> None:
    async with panel_of(api, PAUSED) as pilot:
        await until(pilot, lambda: "New requests wait at the proxy. [W] lets them go on" in shown(pilot))

"""The way from U to the question: the source is asked once, and what comes meanwhile is told by the question."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.client.errors import Unreachable
from panel.client.events import Event
from panel.client.model import Apps, Plan
from panel.client.update_model import Update
from panel.screens.confirm import ConfirmScreen
from panel.screens.dashboard import DashboardScreen
from panel.screens.details import DetailsScreen
from panel.screens.progress import ProgressScreen
from panel.screens.question import QuestionScreen
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.api import FakeApi, problem_answer
from tests.support.screen import shown
from tests.unit.panel.test_slow_answers import Slow

WITHIN_S = 20.0


class Orchestrator(Slow):
    """Has these apps, and an update for each check. `waits_at`: what is answered only when `released` is set."""

    def __init__(self, *apps: dict[str, Any], waits_at: str = "") -> None:
        super().__init__(waits_at)
        self.apps_now = list(apps)
        self.error: Unreachable | None = None
        self.ended: list[str] = []
        """The requests that were cancelled."""

    async def _answer(self, what: str) -> None:
        try:
            await super()._answer(what)
        except asyncio.CancelledError:
            self.ended.append(what)
            raise
        if self.error:
            raise self.error

    async def status(self) -> Apps:
        return Apps.model_validate({"apps": self.apps_now})

    async def plan(self, app: str, kind: str = "deploy") -> Plan:
        await self._answer("plan")
        return Plan(app=app, kind=kind, steps=())

    async def check(self, app: str, *, afresh: bool = False) -> Update | None:
        await self._answer("check afresh" if afresh else "check")
        return Update.model_validate(answers.update())

    @property
    def checks(self) -> list[str]:
        return [one for one in self.asked if one.startswith("check")]


@asynccontextmanager
async def panel_of(client: Client) -> AsyncIterator[tuple[PanelApp, Pilot[Any]]]:
    panel = PanelApp(client, clock=lambda: NOW)
    async with panel.run_test(size=(110, 40)) as pilot:
        await until(pilot, lambda: bool(panel._dashboard.selected))
        yield panel, pilot


async def until(pilot: Pilot[Any], holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not holds():
            await pilot.pause(0.01)
    await pilot.pause()


def messages(panel: PanelApp) -> list[str]:
    return [one.message for one in panel._notifications]


@pytest.mark.parametrize(
    ("update", "key", "checks"),
    [
        (None, "u", ["check"]),
        (None, "U", ["check afresh"]),
        (answers.update(), "u", ["check"]),
        (answers.update(), "U", ["check afresh"]),
    ],
)
async def test_the_source_is_asked_once(update: dict[str, Any] | None, key: str, checks: list[str]) -> None:
    client = Orchestrator(answers.app(update=update))
    async with panel_of(client) as (panel, pilot):
        await pilot.press(key)
        await until(pilot, lambda: isinstance(panel.screen, ConfirmScreen) and "plan" in client.asked)
        await until(pilot, lambda: len(client.checks) >= len(checks))
        await pilot.pause(0.05)

    assert client.checks == checks


@pytest.mark.parametrize("waits_at", ["plan", "check"])
async def test_what_a_question_asks_ends_with_it(waits_at: str) -> None:
    client = Orchestrator(answers.app(update=answers.update()), waits_at=waits_at)
    async with panel_of(client) as (panel, pilot):
        await pilot.press("u")
        await until(pilot, lambda: isinstance(panel.screen, ConfirmScreen) and waits_at in client.asked)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(panel.screen, DashboardScreen) and client.ended == [waits_at])


async def test_an_orchestrator_that_is_away_is_told_once_by_a_question() -> None:
    client = Orchestrator(answers.app(update=answers.update()))
    async with panel_of(client) as (panel, pilot):
        client.error = Unreachable("Nothing answers.")
        await pilot.press("u")
        await until(pilot, lambda: isinstance(panel.screen, ConfirmScreen) and bool(messages(panel)))
        await pilot.pause(0.05)
        assert messages(panel).count("Nothing answers.") == 1


async def test_where_updates_are_off_the_source_is_asked_only_when_a_person_wants_it() -> None:
    client = Orchestrator(answers.app(updates_off=True))
    async with panel_of(client) as (panel, pilot):
        await pilot.press("u")
        await until(pilot, lambda: isinstance(panel.screen, QuestionScreen))
        assert "Updates of shop are off (update.enabled: false)" in shown(pilot)
        await pilot.press("escape")
        assert client.checks == []
        await pilot.press("U", "y")
        await until(pilot, lambda: isinstance(panel.screen, ConfirmScreen))

    assert client.checks == ["check afresh"]


async def test_the_question_about_a_known_update_says_that_updates_are_off_and_asks_no_source() -> None:
    client = Orchestrator(answers.app(update=answers.update(), updates_off=True))
    async with panel_of(client) as (_, pilot):
        await pilot.press("u")
        await until(pilot, lambda: "Updates of this app are off" in shown(pilot) and "plan" in client.asked)
        await pilot.pause(0.05)

    assert client.checks == []


SHOWN = "9be1c3d"


@pytest.mark.parametrize(
    ("apps", "says"),
    [
        ([answers.app(active=answers.slot("v1.1.0", revision=SHOWN))], "v1.1.0 is live now: somebody has deployed it"),
        ([answers.app(active=answers.slot("v9", revision="9" * 7))], "v9 is live now."),
        ([answers.app(deployment={"id": "d9", "state": "running"})], "A deployment of shop was requested meanwhile"),
        ([], "shop is not configured any more."),
    ],
)
async def test_a_question_says_what_became_of_the_app_meanwhile(apps: list[dict[str, Any]], says: str) -> None:
    client = Orchestrator(answers.app(update=answers.update()))
    async with panel_of(client) as (panel, pilot):
        await pilot.press("u")
        await until(pilot, lambda: isinstance(panel.screen, ConfirmScreen))
        assert says not in shown(pilot)
        client.apps_now = apps
        panel._refresh()
        await until(pilot, lambda: says in shown(pilot))


async def test_details_of_an_app_that_is_gone_lead_to_no_question() -> None:
    client = Orchestrator(answers.app(update=answers.update()))
    async with panel_of(client) as (panel, pilot):
        await pilot.press("d")
        await until(pilot, lambda: isinstance(panel.screen, DetailsScreen))
        client.apps_now = []
        panel._refresh()
        await until(pilot, lambda: not panel._dashboard._apps)
        await pilot.press("u")
        await until(pilot, lambda: "shop is not configured any more." in messages(panel))
        assert isinstance(panel.screen, DashboardScreen)


async def test_whoever_has_selected_another_app_meanwhile_is_told_and_not_asked() -> None:
    client = Orchestrator(answers.app(), answers.app("till"), waits_at="check")
    async with panel_of(client) as (panel, pilot):
        await pilot.press("u")
        await until(pilot, lambda: "check" in client.asked)
        await pilot.press("down")
        client.released.set()
        await until(pilot, lambda: any("An update of shop is available: v1.1.0" in one for one in messages(panel)))
        assert isinstance(panel.screen, DashboardScreen)


async def test_a_check_that_takes_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.screens.update_keys.SLOW_S", 0.01)
    client = Orchestrator(answers.app(), waits_at="check")
    async with panel_of(client) as (panel, pilot):
        await pilot.press("u")
        await until(pilot, lambda: "The source of shop is asked. That may take minutes." in messages(panel))
        client.released.set()
        await until(pilot, lambda: isinstance(panel.screen, ConfirmScreen))


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi() as api:
        shop = answers.app(standby=answers.slot("v0.9.0", "green"))
        api.gives("GET", "/v1/apps", {"apps": [shop]})
        api.gives("GET", "/v1/apps/shop", shop)
        yield api


async def test_a_rollback_that_failed_is_shown_with_its_log(api: FakeApi) -> None:
    record = answers.failed("d9", kind="rollback")
    api.gives("POST", "/v1/apps/shop/rollback", record, 502)
    api.gives("GET", "/v1/deployments/d9", record)
    api.events = answers.Events().add("failed", "d9", step="verify", cause="It ended.").all
    async with Client(api.url, "co_secret") as client, panel_of(client) as (panel, pilot):
        await pilot.press("b", "y")
        await until(pilot, lambda: isinstance(panel.screen, ProgressScreen) and "ROLLBACK FAILED" in shown(pilot))
        assert "ModuleNotFoundError: No module named 'till'" in shown(pilot)


async def test_a_token_that_was_revoked_is_told_once(api: FakeApi) -> None:
    async with Client(api.url, "co_secret") as client, panel_of(client) as (panel, pilot):
        api.refuses("GET", "/v1/apps", 401, detail="The token is unknown or revoked.")
        for _ in range(3):
            await panel._ask_for_apps()
        await pilot.pause()
        assert messages(panel).count("The token is unknown or revoked.") == 1


async def test_progress_that_cannot_be_followed_any_more_says_so_and_counts_no_time(api: FakeApi) -> None:
    moments = iter(range(10_000))
    refused = "The token is unknown or revoked."
    api.events = answers.Events().add("step", "d9", step="build", state="running").all
    async with Client(api.url, "co_secret", (0.0,)) as client, panel_of(client) as (panel, pilot):
        api.after_cuts = problem_answer(401, detail=refused)
        api.cuts.append(1)
        screen = ProgressScreen(client, "shop", "d9", lambda: answers.NOW.replace(microsecond=next(moments)))
        await panel.push_screen(screen)
        await until(pilot, lambda: f"not followed any more: {refused}" in " ".join(shown(pilot).split()))
        before = next(moments)
        screen._redraw()
        assert next(moments) == before + 1


async def test_what_cannot_be_cancelled_any_more_is_not_asked_about(api: FakeApi) -> None:
    async with Client(api.url, "co_secret") as client, panel_of(client) as (panel, pilot):
        screen = ProgressScreen(client, "shop", "d9", lambda: NOW)
        await panel.push_screen(screen)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(panel.screen, QuestionScreen))
        (switching,) = answers.Events().add("step", "d9", step="switch", state="running").all
        screen._take(Event.model_validate(switching))
        screen._redraw()
        await until(pilot, lambda: panel.screen is screen)
        assert "The deployment cannot be cancelled any more." in messages(panel)


@pytest.mark.parametrize("size", [(80, 24), (40, 24), (40, 12)])
@pytest.mark.parametrize("key", ["u", "b"])
async def test_a_question_is_in_sight_however_much_stands_above_it(key: str, size: tuple[int, int]) -> None:
    """Such as versions of 200 characters, in a terminal of a phone's width."""
    long = answers.slot("v1.0.0-" + "x" * 190)
    update = answers.update(long["version"], waits="It installs itself. " * 20)
    client = Orchestrator(answers.app(active=long, standby=long | {"colour": "green"}, update=update))
    panel = PanelApp(client, clock=lambda: NOW)
    async with panel.run_test(size=size) as pilot:
        await until(pilot, lambda: bool(panel._dashboard.selected))
        await pilot.press(key)
        asks = "Proceed with update? [Y/n]" if key == "u" else "Roll shop back? [y/N]"
        await until(pilot, lambda: asks in shown(pilot))


async def test_progress_that_is_old_says_so(api: FakeApi) -> None:
    async with Client(api.url, "co_secret") as client, panel_of(client) as (panel, pilot):
        await panel.push_screen(ProgressScreen(client, "shop", "d9", lambda: NOW))
        api.refuses("GET", "/v1/apps", 503, detail="The orchestrator is starting.")
        await panel._ask_for_apps()
        await until(
            pilot, lambda: "The orchestrator is starting. What is shown is as of" in " ".join(shown(pilot).split())
        )

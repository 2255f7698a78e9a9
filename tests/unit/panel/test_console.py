"""The console on the dashboard, driven by keys."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot

from panel.app import PanelApp
from panel.client.client import Client
from panel.screens.question import QuestionScreen
from panel.widgets.console.console import Console
from panel.widgets.console.line import ConsoleLine
from tests.support import api_answers as answers
from tests.support.api_answers import NOW
from tests.support.fakes.api import FakeApi
from tests.support.screen import shown

WITHIN_S = 20.0


@pytest.fixture
def shop(api: FakeApi) -> FakeApi:
    app = answers.app(standby=answers.slot("v0.9.0", "green"))
    api.gives("GET", "/v1/apps", {"apps": [app, answers.app("till")]})
    api.gives("GET", "/v1/apps/shop", app)
    api.gives("GET", "/v1/apps/shop/plan", {"app": "shop", "kind": "rollback", "steps": [], "cost": []})
    api.gives("GET", "/v1/sessions/current", {"token": "ann", "scope": "deploy", "apps": None, "expires_at": None})
    return api


def panel(api: FakeApi) -> PanelApp:
    return PanelApp(Client(api.url, "co_secret"), clock=lambda: NOW)


async def until(pilot: Pilot[Any], *words: str) -> None:
    async with asyncio.timeout(WITHIN_S):
        try:
            while not all(word in shown(pilot) for word in words):
                await pilot.pause(0.01)
        finally:
            print(shown(pilot))


async def enter(pilot: Pilot[Any], line: str) -> None:
    pilot.app.screen.query_one(ConsoleLine).value = line
    await pilot.press("enter")


async def test_a_line_is_answered_with_the_command_that_does_the_same(shop: FakeApi) -> None:
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon", *"what is live", "enter")
        await until(pilot, "› what is live", "$ changeover status", "till  v1.0.0")


async def test_what_changes_something_asks_the_same_question_as_its_key_and_is_done_after_a_yes(shop: FakeApi) -> None:
    shop.gives("POST", "/v1/apps/shop/rollback", answers.deployment(kind="rollback", version="v0.9.0"))
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon", *"roll back shop", "enter")
        await until(pilot, "Roll shop back?")
        assert isinstance(app.screen, QuestionScreen)
        assert not shop.requests("POST", "/v1/apps/shop/rollback")

        await pilot.press("y")
        await until(pilot, "✓ Rolled back: shop v0.9.0", "$ changeover rollback shop")

    (request,) = shop.requests("POST", "/v1/apps/shop/rollback")
    assert request.body["container"] == "shop-green"


async def test_a_no_changes_nothing_and_says_so(shop: FakeApi) -> None:
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon", *"pause shop", "enter")
        await until(pilot, "Pause shop?", "changeover pause shop")
        await pilot.press("n")
        await until(pilot, "Not confirmed, nothing was done.")

    assert not shop.requests("POST", "/v1/apps/shop/pause")


async def test_whoever_types_on_is_not_asked_where_the_next_key_would_be_the_answer(shop: FakeApi) -> None:
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon", *"pause shop")
        line = app.screen.query_one(ConsoleLine)
        await line.action_submit()
        line.value = "y"
        await until(pilot, "You have gone on meanwhile")
        assert app.screen is app._dashboard


async def test_a_typing_mistake_in_what_changes_something_is_suggested_and_tab_takes_it(shop: FakeApi) -> None:
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon", *"puase shop", "enter")
        await until(pilot, "Did you mean this? Nothing was done.", "→ pause shop")
        await pilot.press("tab")
        assert app.screen.query_one(Console).draft == "pause shop"
        assert app.screen is app._dashboard


async def test_escape_closes_it_and_keeps_what_is_typed_and_keys_work_again(shop: FakeApi) -> None:
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon", *"roll bacx")
        console = app.screen.query_one(Console)
        assert (console.draft, console.is_open) == ("roll bacx", True)
        while console.is_open:
            await pilot.press("escape")
        assert app.screen.query_one("#apps").has_focus
        await pilot.press("colon")
        assert (console.draft, console.is_open) == ("roll bacx", True)
        assert app.screen.query_one(ConsoleLine).has_focus


async def test_what_was_typed_comes_back_by_arrows_and_search(shop: FakeApi) -> None:
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon", *"status", "enter", *"help pause", "enter", *"history of shop", "enter")
        line = app.screen.query_one(ConsoleLine)
        await pilot.press(*"dra")
        await pilot.press("up", "up")
        assert line.value == "help pause"
        await pilot.press("down", "down")
        assert line.value == "dra"
        line.value = "stat"
        await pilot.pause()
        await pilot.press("ctrl+r")
        assert line.value == "status"


async def test_tab_completes_and_enter_sends_what_was_typed(shop: FakeApi) -> None:
    shop.gives("GET", "/v1/apps/shop/update/versions", {"versions": [{"version": "v1.2", "ref": "v1.2"}]})
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon", *"backups of t")
        await until(pilot, "backups of till")
        await pilot.press("tab")
        line = app.screen.query_one(ConsoleLine)
        assert line.value == "backups of till"
        line.value = ""
        await pilot.press(*"deploy shop ")
        while "deploy shop v1.2" not in shown(pilot):
            await pilot.press("v", "backspace")
        line.value = ""
        await pilot.press(*"statu", "enter")
        await until(pilot, "› statu", "Read as: status")


async def test_a_hostile_answer_is_text(shop: FakeApi) -> None:
    shop.gives("GET", "/v1/apps/shop/logs", {"lines": ["\x1b]0;owned\x07[bold]not markup[/] \u202eevil"]})
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon")
        await enter(pilot, "logs of shop")
        await until(pilot, "[bold]not markup[/] evil")
        assert "owned" not in shown(pilot)


async def test_lines_of_a_log_are_chosen_by_level_word_and_time(shop: FakeApi) -> None:
    shop.gives("GET", "/v1/apps/shop/logs", {"lines": ["ERROR: card declined"], "left_out": []})
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        await pilot.press("colon")
        await enter(pilot, "show me errors of shop since 2026-03-14 10:00Z")
        await until(pilot, "ERROR: card declined", "--level error --since 2026-03-14T10:00:00Z")

    (request,) = shop.requests("GET", "/v1/apps/shop/logs")
    assert request.query == {"tail": "40", "level": "error", "since": "2026-03-14T10:00:00Z"}


async def test_an_orchestrator_that_is_gone_is_said_and_the_console_goes_on(shop: FakeApi) -> None:
    app = panel(shop)
    async with app.run_test(size=(120, 40)) as pilot:
        await until(pilot, "v1.0.0")
        shop.refuses("GET", "/v1/apps", 503, detail="The orchestrator is starting.")
        await pilot.press("colon")
        await enter(pilot, "status")
        await until(pilot, "The orchestrator is starting.")
        await enter(pilot, "help deploy")
        await until(pilot, "It needs a token with scope deploy")

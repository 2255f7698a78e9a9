"""Keys that arrive in one burst with the one that opens an input: all are the input's, none is a command."""

from __future__ import annotations

import asyncio

import pytest
from textual import events
from textual.widgets import Input

from panel.keys import in_turn
from tests.support import api_answers as answers
from tests.unit.panel.test_update_journey import Orchestrator, panel_of, until

KEYS = {":": "colon", "/": "slash"}
LETTERS = "what bux"


@pytest.mark.parametrize(
    ("before", "opens"),
    [((), ":"), ((), "/"), (("d", "l"), "/"), (("3",), "/")],
    ids=["the console", "the filter", "the search in the full changelog", "the search in a log"],
)
async def test_all_go_to_the_input(before: tuple[str, ...], opens: str) -> None:
    update = answers.update()
    async with panel_of(Orchestrator(answers.app(standby=answers.slot("v0.9.0", "green"), update=update))) as (
        panel,
        pilot,
    ):
        for number, key in enumerate(before, start=2):
            await pilot.press(key)
            if len(before) > 1:
                await until(pilot, lambda number=number: len(panel.screen_stack) > number)  # type: ignore[misc]
        if before == ("3",):
            await pilot.press("enter")
            await pilot.pause()
        screen = panel.screen

        for letter in (opens, *LETTERS):
            panel.post_message(events.Key(KEYS.get(letter, "space" if letter == " " else letter), letter))
        await until(pilot, lambda: isinstance(panel.focused, Input) and panel.focused.value == LETTERS)

        assert panel.screen is screen


async def test_what_is_pasted_waits_for_the_key_before_it() -> None:
    async with panel_of(Orchestrator(answers.app(update=answers.update()))) as (panel, pilot):
        panel.post_message(events.Key("colon", ":"))
        panel.post_message(events.Paste("what is live"))

        await until(pilot, lambda: isinstance(panel.focused, Input) and panel.focused.value == "what is live")


async def test_a_widget_that_never_says_that_it_is_done_keeps_no_key_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_turn, "LONGEST_S", 0.05)
    async with panel_of(Orchestrator(answers.app(), answers.app("till"))) as (panel, pilot):
        stuck = asyncio.Event()
        panel.screen.focused.call_later(stuck.wait)  # type: ignore[union-attr]

        panel.post_message(events.Key("j", "j"))
        panel.post_message(events.Key("question_mark", "?"))
        await asyncio.sleep(0.3)
        stuck.set()
        await until(pilot, lambda: len(panel.screen_stack) == 3)

        assert panel._dashboard.selected == "till"

"""The key that opens an input gives it the keyboard before the next key is looked at, which is no command then."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from tests.support import api_answers as answers
from tests.unit.panel.test_update_journey import Orchestrator, panel_of, until


@pytest.mark.parametrize(
    ("before", "opens"), [((), "console"), ((), "filter"), (("d", "l"), "search")], ids=["console", "filter", "search"]
)
async def test_an_input_has_the_keyboard_when_its_key_has_been_handled(before: tuple[str, ...], opens: str) -> None:
    async with panel_of(Orchestrator(answers.app(update=answers.update()))) as (panel, pilot):
        for number, key in enumerate(before, start=2):
            await pilot.press(key)
            await until(pilot, lambda number=number: len(panel.screen_stack) > number)  # type: ignore[misc]

        getattr(panel.screen, f"action_{opens}")()

        assert isinstance(panel.focused, Input)

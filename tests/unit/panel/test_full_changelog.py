"""The full changelog: every change with its short hash, a search that marks and moves, and what is left out."""

from __future__ import annotations

from textual.containers import VerticalScroll

from panel.screens.changelog import ChangelogScreen
from panel.screens.details import DetailsScreen
from panel.session.form import as_text, read_text
from panel.widgets.found_lines import FoundLines
from tests.support import api_answers as answers
from tests.support.screen import shown
from tests.unit.panel.test_update_journey import Orchestrator, panel_of, until

HASH = "4d1f0a2c" + "0" * 32
CHANGES = [answers.change(f"change {number}") | {"revision": HASH} for number in range(60)]
CHANGES[50] = answers.change("mend the TILL", "fix") | {"revision": HASH}
CHANGES[57] = answers.change("a till for two [bold]") | {"revision": HASH}


async def test_a_search_goes_from_match_to_match_and_back() -> None:
    update = answers.update(changes=CHANGES, changes_left_out=7, dependencies=None)
    async with panel_of(Orchestrator(answers.app(update=update))) as (panel, pilot):
        await pilot.press("d")
        await until(pilot, lambda: isinstance(panel.screen, DetailsScreen))
        await pilot.press("l")
        await until(pilot, lambda: "60 changes; 7 older ones left out." in shown(pilot))
        assert "change 0 (4d1f0a2)" in shown(pilot)
        assert "a till for two" not in shown(pilot), "it stands further below"

        await pilot.press("slash", *"till")
        await until(pilot, lambda: "Match 1 of 2." in shown(pilot))
        await pilot.press("enter", "n")
        await until(pilot, lambda: "Match 2 of 2." in shown(pilot) and "a till for two [bold]" in shown(pilot))
        await pilot.press("n")
        await until(pilot, lambda: "Match 1 of 2." in shown(pilot) and "mend the TILL" in shown(pilot))
        await pilot.press("N")
        await until(pilot, lambda: "Match 2 of 2." in shown(pilot))

        await pilot.press("slash", *"xyz")
        await until(pilot, lambda: "Nothing found." in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "Nothing found." not in shown(pilot))
        assert panel.screen.query_one(FoundLines)
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(panel.screen, DetailsScreen))


async def test_letters_that_are_searched_for_are_no_keys() -> None:
    update = answers.update()
    async with panel_of(Orchestrator(answers.app(update=update))) as (panel, pilot):
        await pilot.press("d")
        await until(pilot, lambda: isinstance(panel.screen, DetailsScreen))
        await pilot.press("l")
        await until(pilot, lambda: isinstance(panel.screen, ChangelogScreen))
        await pilot.press("slash", *"qrnu?")
        await pilot.pause()
        assert isinstance(panel.screen, ChangelogScreen)
        assert panel.left is None


async def test_it_comes_back_in_the_next_process_with_its_search_and_where_one_was() -> None:
    update = answers.update(changes=CHANGES, changes_left_out=7, dependencies=None)
    client = Orchestrator(answers.app(update=update))
    async with panel_of(client) as (panel, pilot):
        await pilot.press("d", "l")
        await until(pilot, lambda: isinstance(panel.screen, ChangelogScreen))
        await pilot.press("slash", *"till", "enter", *["pageup"] * 2, "down")
        await until(pilot, lambda: panel.screen.query_one(VerticalScroll).scroll_offset.y > 0)
        await pilot.pause(0.3)
        state = read_text(as_text(panel.state))
    assert state.changelog is not None
    assert (state.changelog.top > 0, state.changelog.search) == (True, "till")

    async with panel_of(Orchestrator(answers.app(update=update))) as (panel, pilot):
        await panel._ask_again(state)
        await until(pilot, lambda: isinstance(panel.screen, ChangelogScreen) and "Match 1 of 2." in shown(pilot))
        await until(pilot, lambda: panel.state.changelog == state.changelog)
        await pilot.pause(0.2)
        scroll = panel.screen.query_one(VerticalScroll)
        assert scroll.scroll_offset.y == state.changelog.top
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(panel.screen, DetailsScreen))
        assert panel.state.changelog is None

"""The cells of a table are as wide as its columns, whenever it was drawn first."""

from __future__ import annotations

from rich.text import Text
from textual.app import App, ComposeResult

from panel.widgets.table import Table
from tests.support.screen import shown


class OneTable(App[None]):
    CSS = "Table { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield Table()


async def test_a_picture_from_before_the_columns_were_measured_does_not_stay() -> None:
    app = OneTable()
    async with app.run_test() as pilot:
        table = app.query_one(Table)
        table.add_columns("When", "Who")
        await pilot.pause()
        table.add_row(Text("2026-11-24 09:34:00"), Text("ci"))
        assert "2026-11-24 09:34:00" not in shown(pilot), "drawn too late to show what is tested"
        await pilot.pause()
        assert "2026-11-24 09:34:00" in shown(pilot)


async def test_home_and_end_go_to_the_first_and_the_last_row() -> None:
    app = OneTable()
    async with app.run_test() as pilot:
        table = app.query_one(Table)
        table.cursor_type = "row"
        table.add_columns("App")
        for name in ("a", "b", "c"):
            table.add_row(Text(name))
        table.focus()
        await pilot.press("end")
        assert table.cursor_row == 2
        await pilot.press("home")
        assert table.cursor_row == 0

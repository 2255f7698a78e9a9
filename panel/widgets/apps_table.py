"""The table of apps: active and standby release, health, and the current deployment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from panel.client.model import App, Slot
from panel.text.age import ago
from panel.text.moments import muted_until
from panel.text.shortened import shortened
from panel.widgets.table import Table

COLUMNS = ("App", "Health", "Active", "Now", "Standby", "Live since", "Address")
"""What a narrow terminal must show stands first."""
LONGEST_NAME = 40
"""Cells of a version in a row."""
COLOURS = {"blue": "dodger_blue1", "green": "green3"}
HEALTH = {"healthy": "green3", "none": "grey50"}
"""The others, also those of a newer orchestrator, are red."""


class AppsTable(Table):
    """One row per app. The key of a row is the app's name, so that the cursor stays on its app when rows change."""

    DEFAULT_CSS = """
    AppsTable { height: auto; max-height: 60%; margin: 1 2; }
    """

    def on_mount(self) -> None:
        self.cursor_type = "row"
        self.zebra_stripes = True
        for column in COLUMNS:
            self.add_column(column, key=column)

    def show(self, apps: Sequence[App], now: datetime) -> None:
        """Show these apps; only cells that changed are drawn again."""
        names = [app.name for app in apps]
        for key in [row.value for row in self.rows]:
            if key not in names:
                self.remove_row(str(key))
        for app in apps:
            cells = _cells(app, now)
            if app.name not in self.rows:
                self.add_row(*cells, key=app.name)
                continue
            for column, cell in zip(COLUMNS, cells, strict=True):
                if self.get_cell(app.name, column) != cell:
                    self.update_cell(app.name, column, cell, update_width=True)

    @property
    def selected(self) -> str:
        """The app under the cursor; empty when there is none."""
        if not self.row_count:
            return ""
        return str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value)

    def select(self, app: str) -> None:
        """Move the cursor to this app, if it is there."""
        if app in self.rows:
            self.move_cursor(row=self.get_row_index(app))


def _cells(app: App, now: datetime) -> tuple[Text, ...]:
    under_way = f"{app.deployment.step or app.deployment.state}…" if app.deployment else "–"
    since = ago(app.active.since, now) if app.active and app.active.since else "–"
    return (
        Text(app.name, style="bold"),
        _health(app, now),
        _slot(app.active),
        Text(under_way, style="yellow" if app.deployment else "grey50"),
        _slot(app.standby),
        Text(since),
        Text(app.url, style="grey70"),
    )


def _health(app: App, now: datetime) -> Text:
    muted = f", {muted_until(app.muted_until, now)}" if app.muted_until and app.is_muted(now) else ""
    if app.unsettled:
        return Text(f"{app.health}, data unsettled{muted}", style="red")
    return Text(f"{app.health}{muted}", style=HEALTH.get(app.health, "red"))


def _slot(slot: Slot | None) -> Text:
    if slot is None:
        return Text("–", style="grey50")
    return Text.assemble(("● ", COLOURS.get(slot.colour, "")), shortened(slot.version, LONGEST_NAME))

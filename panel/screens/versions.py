"""The versions that an app's source has: one of them can be deployed, or skipped for ever."""

from __future__ import annotations

from typing import Any

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import App as TextualApp
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import Screen
from textual.widgets import Static

from border.plain import one_line
from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.model import App
from panel.client.version_model import Version
from panel.clock import Clock
from panel.screens.whole import is_whole
from panel.text.age import ago
from panel.text.shortened import shortened
from panel.text.versions import in_words
from panel.widgets.key_line import KeyLine
from panel.widgets.table import Table
from panel.widgets.title_line import TitleLine

COLUMNS = ("Version", "Released", "State", "Ref")
LONGEST_NAME = 40
"""Cells of a version or ref in a row. The one under the cursor stands whole below the table."""
COLOURS = {"live": "green3", "failed": "red", "skipped": "orange3"}


class VersionsScreen(Screen[Version]):
    """Its result is the version that is to be deployed, or None."""

    BINDINGS = [
        Binding("escape", "close", "Back", key_display="Esc", tooltip="Go back to the dashboard"),
        Binding("enter", "deploy", "Deploy", tooltip="Ask, and deploy the version under the cursor", priority=True),
        Binding("s,S", "skip", "Skip", key_display="S", tooltip="Never offer the version, or offer it again"),
    ]

    def __init__(self, client: Client, app_shown: App, clock: Clock) -> None:
        super().__init__()
        self._client = client
        self._app_shown = app_shown
        self._clock = clock
        self._versions: tuple[Version, ...] = ()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whoever may only read sees the versions."""
        if action in ("deploy", "skip") and not self._client.permission.may_deploy:
            return False
        return super().check_action(action, parameters)

    def compose(self) -> ComposeResult:
        yield TitleLine()
        yield Static(Text(f"Versions of {one_line(self._app_shown.name)}"), classes="heading", id="title")
        yield Table(id="versions", cursor_type="row", zebra_stripes=True)
        yield Static("The source is asked.", id="said")
        yield KeyLine()

    def on_mount(self) -> None:
        for column in COLUMNS:
            self._table.add_column(column, key=column)
        self.set_focus(self._table)
        self._load()

    @property
    def _table(self) -> Table:
        return self.query_one("#versions", Table)

    @property
    def _current(self) -> Version | None:
        at = self._table.cursor_row
        return self._versions[at] if 0 <= at < len(self._versions) else None

    @work(exclusive=True)
    async def _load(self) -> None:
        try:
            found = await self._client.versions(self._app_shown.name)
        except ClientError as error:
            self._say(str(error))
            return
        if not is_whole(self):
            return
        row = self._table.cursor_row
        self._versions = found
        self._table.clear()
        for one in found:
            self._table.add_row(*self._cells(one))
        self._table.move_cursor(row=min(row, max(len(found) - 1, 0)))
        self._say("" if found else "The source has no versions.")

    def _cells(self, one: Version) -> tuple[Text, ...]:
        released = ago(one.released_at, self._clock()) if one.released_at else "–"
        state = Text(in_words(one) or "–", COLOURS.get(one.state, ""))
        version, ref = (Text(shortened(one_line(name), LONGEST_NAME)) for name in (one.version, one.ref))
        return version, Text(released), state, ref

    def on_data_table_row_highlighted(self) -> None:
        """Show the names of the version under the cursor whole, where the table shortens them."""
        one = self._current
        names = dict.fromkeys(one_line(name) for name in (one.version, one.ref)) if one else {}
        self._say(" ".join(names) if any(cell_len(name) > LONGEST_NAME for name in names) else "")

    def _say(self, text: str) -> None:
        if is_whole(self):
            self.query_one("#said", Static).update(Text(text))

    def action_close(self) -> None:
        self.dismiss(None)

    def action_deploy(self) -> None:
        """Ask on the dashboard, and deploy the version under the cursor."""
        if one := self._current:
            self.dismiss(one)

    def action_skip(self) -> None:
        """Never offer the version under the cursor, or offer it again."""
        if one := self._current:
            # The app's, not this screen's: whoever leaves at once has skipped it nevertheless.
            self.app.run_worker(self._skip(one, self.app), group="changes")

    async def _skip(self, one: Version, app: TextualApp[Any]) -> None:
        try:
            await self._client.skip(self._app_shown.name, one.version, undo=one.is_skipped)
        except ClientError as error:
            app.notify(str(error), severity="error", markup=False)
            return
        says = "is offered again" if one.is_skipped else "is not offered any more"
        app.notify(f"{self._app_shown.name} {one.version} {says}.", markup=False)
        if is_whole(self):
            self._load()

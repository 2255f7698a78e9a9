"""The confirmation of an update: current and latest version, source and method."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from border.plain import one_line
from panel.client.model import App, Update
from panel.text.age import ago


class ConfirmScreen(ModalScreen[bool]):
    """Its result is True for yes."""

    BINDINGS = [
        Binding("y,enter", "answer(True)", "Yes"),
        Binding("n,escape", "answer(False)", "No"),
    ]

    def __init__(self, app_shown: App, update: Update, now: datetime) -> None:
        super().__init__()
        self._app_shown = app_shown
        self._update = update
        self._now = now

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Text(f"UPDATE {one_line(self._app_shown.name).upper()}")
            yield Static(self._text())

    def _text(self) -> Group:
        active = self._app_shown.active
        update = self._update
        return Group(
            Text.assemble("Current version: ", (active.version if active else "none", "bold")),
            Text.assemble("Latest version:  ", (update.version, "bold"), f"  ({ago(update.released_at, self._now)})"),
            Text(),
            Text(f"Update source: {update.origin}"),
            Text("Update method: build, back up, migrate, start, verify, switch"),
            Text(),
            Text(f"{count(len(update.changes))}. [D] on the dashboard lists them."),
            Text("Proceed with update? [Y/n]", "bold"),
        )

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


def count(changes: int) -> str:
    return "1 change" if changes == 1 else f"{changes} changes"

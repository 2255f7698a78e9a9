"""What an update brings: its changelog, by kind."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from panel.model import App, Update
from panel.show import ago, changelog


class DetailsScreen(ModalScreen[str]):
    """Dismissed with "update" when the person wants it now, else with nothing."""

    BINDINGS = [
        Binding("u", "update", "Update now"),
        Binding("escape", "close", "Close"),
    ]

    def __init__(self, app_shown: App, update: Update) -> None:
        super().__init__()
        self._app_shown = app_shown
        self._update = update

    def compose(self) -> ComposeResult:
        update = self._update
        with Vertical(classes="dialog -tall") as dialog:
            dialog.border_title = "UPDATE DETAILS"
            with VerticalScroll():
                yield Static(
                    Text(f"{self._app_shown.name} {update.version} (released {ago(update.released_at)})", "bold")
                )
                yield Static(Text.from_markup("\n".join(changelog(update.changes)) or "\nNo changes are known."))
            yield Static("\\[U] Update now  │  \\[Esc] Close", classes="keys")

    def action_update(self) -> None:
        self.dismiss("update")

    def action_close(self) -> None:
        self.dismiss("")

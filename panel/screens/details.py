"""The changelog of an update."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from border.plain import one_line
from panel.client.model import App
from panel.client.update_model import Update
from panel.screens.changelog import ChangelogScreen
from panel.session.state import ChangelogState
from panel.text.age import NO_RELEASE_DATE, ago
from panel.text.changelog import brings, costs


class DetailsScreen(ModalScreen[str]):
    """Its result is "update" when the person wants the update now, else empty: offered with `may_install` only."""

    BINDINGS = [
        Binding("u,U", "update", "Update now", tooltip="Ask, and install the update"),
        Binding("l,L", "changelog", "Full changelog", key_display="L", tooltip="Show every change, and search in them"),
        Binding("escape", "close", "Close", tooltip="Go back to the dashboard"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]

    def __init__(self, app_shown: App, update: Update, now: datetime, *, may_install: bool = True) -> None:
        super().__init__()
        self.app_name, self.revision = app_shown.name, update.revision
        self._app_shown = app_shown
        self._update = update
        self._now = now
        self._may_install = may_install

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """U is there for those who may install it."""
        return self._may_install if action == "update" else super().check_action(action, parameters)

    def compose(self) -> ComposeResult:
        update = self._update
        with Vertical(classes="dialog -tall") as dialog:
            dialog.border_title = "UPDATE DETAILS"
            with VerticalScroll():
                released = f"released {ago(update.released_at, self._now)}" if update.released_at else NO_RELEASE_DATE
                yield Static(Text(f"{self._app_shown.name} {update.version} ({released})", "bold"))
                if update.waits:
                    yield Static(Text(one_line(update.waits), "yellow"))
                yield Static(
                    Text.from_markup(
                        "\n".join(brings(update, has_live=self._app_shown.active is not None)), emoji=False
                    )
                )
            yield Static(Text("\n".join(map(one_line, costs(update))), "dim"), classes="costs")
            install = "[U] Update now  │  " if self._may_install else ""
            yield Static(Text(f"{install}[L] Full changelog  │  [Esc] Close"), classes="keys")

    def action_update(self) -> None:
        self.dismiss("update")

    def action_changelog(self) -> None:
        self.show_changelog(ChangelogState())

    def show_changelog(self, state: ChangelogState) -> None:
        """Show every change, and where one was in them."""
        self.app.push_screen(ChangelogScreen(self._app_shown, self._update, state))

    def action_close(self) -> None:
        self.dismiss("")

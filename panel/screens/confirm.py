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
from panel.client.model import App
from panel.client.update_model import Update
from panel.screens.whole import is_whole
from panel.text.age import NO_RELEASE_DATE, ago
from panel.text.changelog import NO_CHANGES, NO_LIVE_RELEASE, costs
from panel.text.counted import counted


class ConfirmScreen(ModalScreen[bool]):
    """Its result is True for yes."""

    BINDINGS = [
        Binding("y,Y,enter", "answer(True)", "Yes", tooltip="Install the update"),
        Binding("n,N,escape", "answer(False)", "No", tooltip="Install nothing"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]

    def __init__(self, app_shown: App, update: Update, now: datetime) -> None:
        super().__init__()
        self._app_shown = app_shown
        self._update = update
        self._now = now
        self._newer: Update | None = None
        self._cost: tuple[str, ...] = ()

    def take_cost(self, cost: tuple[str, ...]) -> None:
        """Say what the update costs those who are connected now."""
        self._cost = cost
        if is_whole(self):
            self.query_one(Static).update(self._text())

    @property
    def asks_about(self) -> str:
        """The name of the app that is to be updated."""
        return self._app_shown.name

    def take(self, newest: Update) -> None:
        """Say so if this update of the app, which was found while the question stands, is another one."""
        if newest.revision == self._update.revision:
            return
        self._newer = newest
        if is_whole(self):
            self.query_one(Static).update(self._text())

    def on_mount(self) -> None:
        # A newer one may have come between composing and mounting.
        self.query_one(Static).update(self._text())

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Text(f"UPDATE {one_line(self._app_shown.name).upper()}")
            yield Static(self._text())

    def _text(self) -> Group:
        active = self._app_shown.active
        update = self._update
        released = ago(update.released_at, self._now) if update.released_at else NO_RELEASE_DATE
        return Group(
            Text.assemble("Current version: ", (active.version if active else "none", "bold")),
            Text.assemble("New version:     ", (update.version, "bold"), f"  ({released})"),
            Text(f"Checked {ago(update.checked_at, self._now)}; Shift+U asks again.", "dim"),
            Text(),
            Text(f"Update source: {update.origin}"),
            Text("Update method: build, back up, migrate, start, verify, switch"),
            Text(),
            Text(
                changes_in_words(
                    len(update.changes) + update.changes_left_out,
                    listed=self._app_shown.update is not None,
                    has_live=active is not None,
                )
            ),
            *(Text(one_line(line)) for line in costs(update)),
            *((Text(f"{one_line(update.waits)} Yes does not wait.", "yellow"),) if update.waits else ()),
            *(Text(one_line(sentence), "yellow") for sentence in self._cost),
            *self._question(),
        )

    def _question(self) -> tuple[Text, ...]:
        if self._newer is None:
            return (Text("Proceed with update? [Y/n]", "bold"),)
        asked, newer = one_line(self._update.version), one_line(self._newer.version)
        return (
            Text(f"A newer version came meanwhile: {newer}. [N], then [U] shows it.", "yellow"),
            Text(f"Proceed with update to {asked}? [Y/n]", "bold"),
        )

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


def changes_in_words(number: int, *, listed: bool, has_live: bool = True) -> str:
    """How many changes the update has. None are known where its source has a history without the live release, or
    none is live (`has_live`). `listed`: the dashboard shows the update; it shows none that is dismissed."""
    if not number:
        return NO_CHANGES if has_live else NO_LIVE_RELEASE
    where = f" [D] on the dashboard lists {'it' if number == 1 else 'them'}." if listed else ""
    return f"{counted(number, 'change')}.{where}"

"""The confirmation of an update: current and latest version, source and method."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Static

from border.plain import one_line
from panel.client.client import Client
from panel.client.errors import ClientError, NotFound
from panel.client.model import App
from panel.client.update_model import Update
from panel.screens.whole import is_whole
from panel.text.age import NO_RELEASE_DATE, ago
from panel.text.changelog import NO_CHANGES, NO_LIVE_RELEASE, costs
from panel.text.counted import counted
from panel.text.shortened import shortened

LONGEST_NAME = 60
"""Cells of a version in the question, which is never scrolled out of sight."""
UPDATES_OFF = "Updates of this app are off (update.enabled: false): it is asked for no newer one by itself."


class ConfirmScreen(ModalScreen[bool]):
    """Its result is True for yes. It asks what the update costs and, unless it `is_fresh`, for a newer one: what is
    known may be of long ago. Both requests end with the question.
    """

    BINDINGS = [
        Binding("y,Y,enter", "answer(True)", "Yes", tooltip="Install the update"),
        Binding("n,N,escape", "answer(False)", "No", tooltip="Install nothing"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]

    def __init__(
        self, client: Client, app_shown: App, update: Update, now: datetime, *, is_fresh: bool = False
    ) -> None:
        super().__init__()
        self._client = client
        self._app_shown = app_shown
        self._update = update
        self._now = now
        # Whose updates are off has its source asked only when a person wants that.
        self._looks_again = not is_fresh and not app_shown.updates_off
        self._newer: Update | None = None
        self._meanwhile = ""
        self._cost: tuple[str, ...] = ()
        self._was_typed = False
        """Whether something else was typed: a sentence that was meant for the console, and its Enter is no answer."""

    def on_key(self, event: Key) -> None:
        """A key comes here before it is looked for among the bindings."""
        if event.key == "enter" and self._was_typed:
            event.stop()
        elif event.is_printable and event.key not in self.active_bindings and not self._was_typed:
            self._was_typed = True
            self._redraw()

    @work
    async def _ask(self) -> None:
        """What is connected now and what becomes of it, then for a newer update."""
        try:
            self._take_cost(await self._costs())
            newest = await self._client.check(self.asks_about) if self._looks_again else None
        except ClientError as error:
            self.notify(str(error), severity="error", timeout=15, markup=False)
            return
        if newest:
            self._take_update(newest)

    async def _costs(self) -> tuple[str, ...]:
        try:
            return (await self._client.plan(self.asks_about)).cost
        except NotFound:
            return ()  # an older orchestrator: the question stands without it

    def _take_cost(self, cost: tuple[str, ...]) -> None:
        self._cost = cost
        self._redraw()

    @property
    def asks_about(self) -> str:
        """The name of the app that is to be updated."""
        return self._app_shown.name

    @property
    def revision(self) -> str:
        """The commit that a yes deploys."""
        return self._update.revision

    def take(self, app: App | None) -> None:
        """Say what became of the app while the question stands; None: it is not configured any more."""
        self._meanwhile = meanwhile(self._app_shown, self._update, app)
        if app and app.update:
            self._take_update(app.update)
        self._redraw()

    def _take_update(self, newest: Update) -> None:
        """An answer may be older than the question: it was on its way while the source was asked once more."""
        known = self._newer or self._update
        if newest.checked_at >= known.checked_at:
            self._newer = newest if newest.revision != self._update.revision else None
            self._redraw()

    def _redraw(self) -> None:
        if is_whole(self):
            self.query_one("#facts", Static).update(self._text())
            self.query_one(".question", Static).update(self._question())

    def on_mount(self) -> None:
        # Something may have come between composing and mounting.
        self._redraw()
        self._ask()

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog") as dialog:
            dialog.border_title = Text(f"UPDATE {one_line(self._app_shown.name).upper()}")
            yield Static(self._text(), id="facts")
            yield Static(self._question(), classes="question")

    def _text(self) -> Group:
        active = self._app_shown.active
        update = self._update
        released = ago(update.released_at, self._now) if update.released_at else NO_RELEASE_DATE
        return Group(
            Text.assemble("Current version: ", (one_line(active.version) if active else "none", "bold")),
            Text.assemble("New version:     ", (one_line(update.version), "bold"), f"  ({released})"),
            Text(f"Checked {ago(update.checked_at, self._now)}; Shift+U asks again.", "dim"),
            Text(),
            Text(f"Update source: {one_line(update.origin)}"),
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
            *((Text(UPDATES_OFF, "yellow"),) if self._app_shown.updates_off else ()),
            *(Text(one_line(sentence), "yellow") for sentence in self._cost),
        )

    def _question(self) -> Group:
        """With what came meanwhile: it is never scrolled out of sight."""
        meanwhile = (Text(one_line(self._meanwhile), "yellow"),) if self._meanwhile else ()
        keys = "[Y] or [N]" if self._was_typed else "[Y/n]"
        if self._newer is None:
            return Group(*meanwhile, Text(f"Proceed with update? {keys}", "bold"))
        asked, newer = (shortened(one_line(one.version), LONGEST_NAME) for one in (self._update, self._newer))
        return Group(
            *meanwhile,
            Text(f"A newer version came meanwhile: {newer}. [N], then [U] shows it.", "yellow"),
            Text(f"Proceed with update to {asked}? {keys}", "bold"),
        )

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


def meanwhile(shown: App, update: Update, app: App | None) -> str:
    """What became of the app since the question was asked; empty if it is as it was shown. None: it is gone."""
    if app is None:
        return f"{shown.name} is not configured any more."
    if app.active and app.active.revision == update.revision:
        return f"{update.version} is live now: somebody has deployed it meanwhile."
    if app.deployment:
        return f"A deployment of {app.name} was requested meanwhile: this one begins after it."
    if app.active and shown.active and app.active.revision != shown.active.revision:
        return f"{app.active.version} is live now."
    return ""


def changes_in_words(number: int, *, listed: bool, has_live: bool = True) -> str:
    """How many changes the update has. None are known where its source has a history without the live release, or
    none is live (`has_live`). `listed`: the dashboard shows the update; it shows none that is dismissed."""
    if not number:
        return NO_CHANGES if has_live else NO_LIVE_RELEASE
    where = f" [D] on the dashboard lists {'it' if number == 1 else 'them'}." if listed else ""
    return f"{counted(number, 'change')}.{where}"

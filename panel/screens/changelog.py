"""The full changelog of an update, in which one can search."""

from __future__ import annotations

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from border.plain import one_line
from panel.client.model import App
from panel.client.update_model import Update
from panel.screens.whole import is_whole
from panel.session.state import ChangelogState, Place
from panel.text.changelog import brings
from panel.text.counted import counted
from panel.widgets.found_lines import FoundLines
from panel.widgets.line_input import LineInput
from panel.widgets.place import Return, place_of

LONGEST_SEARCH = 100


class ChangelogScreen(ModalScreen[None]):
    """Every change that is known, and how many are left out. What is searched for is marked where it stands."""

    BINDINGS = [
        Binding("slash", "search", "Search", key_display="/", tooltip="Search in the changelog"),
        Binding("n", "next(1)", "Next", key_display="N", tooltip="Go to the next match"),
        Binding("N", "next(-1)", "Previous", key_display="Shift+N", tooltip="Go to the match before"),
        Binding("escape", "close", "Close", tooltip="End the search; without one, go back"),
        Binding("question_mark,f1", "app.help", "Help"),
    ]

    def __init__(self, app_shown: App, update: Update, before: ChangelogState) -> None:
        """`before`: where one was in it."""
        super().__init__()
        self._before = before
        self._return: Return | None = None
        self._app_shown = app_shown
        self._update = update

    def compose(self) -> ComposeResult:
        update = self._update
        with Vertical(classes="dialog -tall") as dialog:
            dialog.border_title = Text(f"CHANGELOG OF {one_line(self._app_shown.name).upper()}")
            with VerticalScroll():
                yield FoundLines([Text(one_line(update.version), "bold"), *self._lines()])
            yield Static(Text(self._count()), id="count")
            yield LineInput(placeholder="Search", id="search", max_length=LONGEST_SEARCH, disabled=True)
            yield Static("\\[/] Search  │  \\[N] Next  │  \\[Esc] Close", classes="keys")

    def _lines(self) -> list[Text]:
        markup = brings(self._update, has_live=self._app_shown.active is not None)
        return [Text.from_markup(line, emoji=False) for line in markup]

    def _count(self) -> str:
        shown, left_out = len(self._update.changes), self._update.changes_left_out
        older = f"; {counted(left_out, 'older one')} left out" if left_out else ""
        return f"{counted(shown, 'change')}{older}."

    def on_mount(self) -> None:
        search = self.query_one("#search", Input)
        search.display, search.disabled = bool(self._before.search), not self._before.search
        with search.prevent(Input.Changed):
            search.value = self._before.search
        if self._before.search:
            self._say(self.query_one(FoundLines).find(self._before.search))
        scroll = self.query_one(VerticalScroll)
        if self._before.top:
            self._return = Return(scroll, Place(y=self._before.top))
        self.set_focus(scroll)

    @property
    def seen(self) -> ChangelogState:
        """What is seen of it; before it has its widgets, what is to be."""
        if not is_whole(self):
            return self._before
        top = place_of(self.query_one(VerticalScroll), self._return).y
        return ChangelogState(top=top, search=self.query_one("#search", Input).value)

    def action_search(self) -> None:
        """Open the line to search in."""
        search = self.query_one("#search", Input)
        search.display, search.disabled = True, False
        self.set_focus(search)

    @on(Input.Changed)
    def find(self, event: Input.Changed) -> None:
        """Mark what is found, and go to the first match."""
        self._say(self.query_one(FoundLines).find(event.value))

    @on(Input.Submitted)
    def found(self) -> None:
        """Go back to the list, where N goes to the next match."""
        self.set_focus(self.query_one(VerticalScroll))

    def action_next(self, by: int) -> None:
        """Go to the next match, or to the one before."""
        self._say(self.query_one(FoundLines).go(by))

    def _say(self, found: str) -> None:
        self.query_one("#count", Static).update(Text(f"{self._count()} {found}".rstrip()))

    def action_close(self) -> None:
        """End the search; without one, close the changelog."""
        search = self.query_one("#search", Input)
        if not search.display:
            self.dismiss()
            return
        search.value = ""
        search.display, search.disabled = False, True
        self.set_focus(self.query_one(VerticalScroll))

"""The Logs tab: the log of one app, with what is chosen of it above and the search below."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import datetime

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from border.plain import one_line
from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.log_model import LogEntry, LogOrigin, LogOrigins
from panel.client.log_requests import LogQuery
from panel.preferred import times_of
from panel.session.state import LogState
from panel.text.moments import Times
from panel.widgets.line_input import LineInput
from panel.widgets.logs.view import MOST_LINES, LogView

ALL = "all"
FIRST_LINES = 1000
PAINTED_EVERY_S = 0.05
"""Lines that come within this time are painted together."""
AGAIN_S = 5.0
"""After an error, the log is asked for again."""
LEVELS = ("", "info", "warning", "error")
"""As L goes through them; the first one is all lines."""


class LogsPane(Vertical):
    """`show_app` says whose log; nothing is asked for before. What it lacks, and why, stands in its first line."""

    BINDINGS = [
        Binding("slash", "search", "Search", key_display="/", tooltip="Search in the log; N goes to the next line"),
        Binding("l,L", "level", "Level", key_display="L", tooltip="Show lines of a higher level only"),
        Binding("c,C", "choose", "Container", key_display="C", tooltip="Show all containers' logs merged, or one"),
        Binding("escape", "back", "Back", show=False, tooltip="Close the choice or the search"),
    ]
    DEFAULT_CSS = """
    LogsPane { height: 1fr; }
    LogsPane > #log-about { height: 1; text-wrap: nowrap; text-overflow: ellipsis; color: $text-muted; }
    LogsPane > #log-choice { display: none; max-height: 50%; height: auto; }
    LogsPane > #log-search { display: none; height: 1; border: none; padding: 0; background: $surface; }
    """

    def __init__(self, client: Client) -> None:
        super().__init__(id="logs")
        self._client = client
        self._app = ""
        self._query = LogQuery(ALL)
        self._origins: tuple[LogOrigin, ...] = ()
        self._pending: list[LogEntry] = []
        self._last_at: datetime | None = None
        self._problem = ""
        self._is_shown = False
        self._is_certain = True
        """Whether the container was chosen of those that the app has."""

    def compose(self) -> ComposeResult:
        yield Static(id="log-about", markup=False)
        yield OptionList(id="log-choice", markup=False)
        yield LogView()
        yield LineInput(id="log-search", placeholder="Search in the log", compact=True)

    @property
    def view(self) -> LogView:
        return self.query_one(LogView)

    def show_app(self, name: str) -> None:
        """Show the log of this app: all of its containers, merged."""
        if name != self._app:
            self._app, self._origins = name, ()
            self._ask(LogQuery(ALL, level=self._query.level))

    @property
    def log_state(self) -> LogState:
        """What is chosen of the log."""
        view, query = self.view, self._query
        return LogState(container=query.container, level=query.level, search=view.sought, top=view.top)

    def show_again(self, state: LogState) -> None:
        """Choose that again. What the app does not have any more is not asked for."""
        level = state.level if state.level in LEVELS else ""
        self._is_certain = False
        self._ask(LogQuery(state.container or ALL, level=level))
        search = self.query_one("#log-search", Input)
        with search.prevent(Input.Changed):
            search.value = state.search
        search.display = bool(state.search)
        self.view.mark(state.search)
        if state.top:
            self.view.go_back(state.top)

    def _ask(self, query: LogQuery) -> None:
        """Ask for other lines; those that are shown go."""
        self._query, self._pending, self._last_at, self._problem = query, [], None, ""
        self.view.clear()
        self._tell()
        if self._app and self._is_shown:
            self._follow()

    def on_show(self) -> None:
        """Go on after the last line that is known."""
        self._is_shown = True
        if self._app:
            self._follow()

    def on_hide(self) -> None:
        """A tab that nobody looks at follows nothing."""
        self._is_shown = False
        self.workers.cancel_group(self, "log")

    @work(exclusive=True, group="log")
    async def _follow(self) -> None:
        while True:
            has_ended = False
            try:
                self._know(await self._client.log_origins(self._app))
                await self._read()
                self._problem, has_ended = "It has ended.", True
            except ClientError as error:
                self._problem = f"{error} It is tried again."
            self._tell()
            if has_ended and self._query.container != ALL:
                return
            await asyncio.sleep(AGAIN_S)

    async def _read(self) -> None:
        since = self._last_at
        query = LogQuery(self._query.container, since.isoformat() if since else "", level=self._query.level)
        most = MOST_LINES if self.view.awaited else FIRST_LINES
        async with aclosing(self._client.follow_logs(self._app, most, query)) as lines:
            async for entry in lines:
                if self._problem:
                    self._problem = ""
                    self._tell()
                if entry is None or (since and entry.at and entry.at <= since):
                    continue  # it is shown already
                if entry.container and entry.container not in {one.container for one in self._origins}:
                    self._look_for_new()
                self._last_at = max(entry.at, self._last_at or entry.at) if entry.at else self._last_at
                self._take(entry)

    @work(exclusive=True, group="log origins")
    async def _look_for_new(self) -> None:
        try:
            self._know(await self._client.log_origins(self._app))
        except ClientError as error:
            self._problem = str(error)
            self._tell()

    def _take(self, entry: LogEntry) -> None:
        if not self._pending:
            self.set_timer(PAINTED_EVERY_S, self._paint)
        self._pending.append(entry)
        if len(self._pending) > 2 * MOST_LINES:
            del self._pending[:MOST_LINES]

    def _paint(self) -> None:
        pending, self._pending = self._pending, []
        self.view.add(pending)
        self._tell()

    def _know(self, found: LogOrigins) -> None:
        self._origins = found.logs
        if not self._is_certain and self._query.container not in {one.container for one in found.logs}:
            self._query = LogQuery(ALL, level=self._query.level)
        self._is_certain = True
        labels = {one.container: _label(one) for one in found.logs}
        chosen = self._query.container
        of_one = sum(chosen in (one.container, one.place, one.colour) for one in found.logs) == 1
        self.view.name_sources(labels, has_source=chosen == ALL or not of_one)

    @on(LogView.Changed)
    def _tell(self) -> None:
        view, query = self.view, self._query
        number, matches = view.matches
        parts = [
            f"'{one_line(view.sought)}' {number} of {matches}" if view.found else "",
            "all containers" if query.container == ALL else one_line(query.container),
            one_line(self._problem),
            "following" if view.follows else "not following: End follows again",
            f"{query.level} and above" if query.level else "",
            f"{len(view)} lines",
        ]
        self.query_one("#log-about", Static).update(Text(" · ".join(filter(None, parts))))

    def action_search(self) -> None:
        """Search in the log."""
        search = self.query_one("#log-search", Input)
        search.display = True
        self.screen.set_focus(search)

    @on(Input.Changed, "#log-search")
    def _search(self, event: Input.Changed) -> None:
        event.stop()
        self.view.search(event.value)

    @on(Input.Submitted, "#log-search")
    def _searched(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#log-search", Input).display = bool(event.value)
        self.screen.set_focus(self.view)

    def action_level(self) -> None:
        """Show lines of the next level and above."""
        after = (LEVELS.index(self._query.level) + 1) % len(LEVELS)
        self._ask(LogQuery(self._query.container, level=LEVELS[after]))

    def action_choose(self) -> None:
        """Choose whose log."""
        choice = self.query_one("#log-choice", OptionList)
        choice.clear_options()
        options = [Option(Text("all containers, merged"), ALL)]
        known = dict.fromkeys(one.container for one in self._origins)
        for name in known:
            one = next(origin for origin in self._origins if origin.container == name)
            options.append(Option(Text(_described(one, times_of(self))), name))
        choice.add_options(options)
        choice.highlighted = next((at for at, one in enumerate(options) if one.id == self._query.container), 0)
        choice.display = True
        self.screen.set_focus(choice)

    @on(OptionList.OptionSelected, "#log-choice")
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.action_back()
        self._ask(LogQuery(event.option.id or ALL, level=self._query.level))

    def action_back(self) -> None:
        """Close the choice, or end the search."""
        choice, search = self.query_one("#log-choice", OptionList), self.query_one("#log-search", Input)
        if not choice.display:
            search.value = ""
            search.display = False
        choice.display = False
        self.screen.set_focus(self.view)


def _label(one: LogOrigin) -> str:
    """Short: the colour of what is there, with its deployment of what is removed."""
    if one.place == "steps":
        return f"steps {one_line(one.deployment)}"
    colour = one_line(one.colour) or one_line(one.container)
    return f"{colour} {one_line(one.deployment)}" if one.place == "earlier" else colour


def _described(one: LogOrigin, times: Times) -> str:
    what = "output of the steps of" if one.place == "steps" else one.place
    gone = f", removed {times.dated_to_minute(one.removed_at)}" if one.removed_at else ""
    version = f" {one.version}" if one.version else ""
    return one_line(f"{what} {one.colour or one.deployment}{version}{gone} ({one.container})")

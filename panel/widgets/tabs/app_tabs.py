"""The right half of the dashboard: the selected app, by tabs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast, runtime_checkable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.events import Key, MouseScrollDown, MouseScrollUp
from textual.widget import Widget

from panel.session.state import LogState, TabState
from panel.widgets.place import Returns, places_in, returns
from panel.widgets.tabs.tab_bar import Tab, TabBar


@runtime_checkable
class ShowsApp(Protocol):
    """What a tab shows: `show_app` is called with the name of the app under the cursor, when the tab is shown."""

    def show_app(self, name: str) -> None: ...


@runtime_checkable
class HasLog(Protocol):
    """What a tab shows, if it has a log of which a part is chosen."""

    @property
    def log_state(self) -> LogState: ...

    def show_again(self, state: LogState) -> None: ...


@dataclass(frozen=True)
class Page:
    """A tab, and what makes its widget when it is opened first: hidden tabs cost nothing."""

    tab: Tab
    make: Callable[[], Widget]


class AppTabs(Vertical):
    DEFAULT_CSS = """
    AppTabs { height: 1fr; }
    AppTabs > .-hidden { display: none; }
    """

    def __init__(self, pages: Sequence[Page]) -> None:
        super().__init__(id="tabs")
        self._pages = {page.tab.id: page for page in pages}
        self._made: dict[str, Widget] = {}
        self._app = ""
        self._awaited: dict[str, TabState] = {}
        """Of tabs that were not opened yet, where one was in them."""
        self._returns: dict[str, Returns] = {}
        self.active = pages[0].tab.id
        """The tab that is shown."""

    def compose(self) -> ComposeResult:
        yield TabBar([page.tab for page in self._pages.values()])

    def on_mount(self) -> None:
        self._show()

    def open(self, tab: str) -> None:
        """Show this tab; nothing happens if there is none of that name, as in a state of another release."""
        if tab in self._pages and tab != self.active:
            self.active = tab
            self._show()
            if self.is_attached:
                self.screen.refresh_bindings()  # a key may be about what one tab shows

    def turn(self, by: int) -> None:
        """Show the tab so many places on; the first follows the last."""
        names = list(self._pages)
        self.open(names[(names.index(self.active) + by) % len(names)])

    def show_app(self, name: str) -> None:
        if name != self._app:
            self._app = name
            self._returns.clear()
            self._awaited = {tab: place for tab, place in self._awaited.items() if place.app == name}
            self._show()

    @property
    def places(self) -> dict[str, TabState]:
        """Where one is in each tab that was opened."""
        made = {tab: self._place(tab, widget) for tab, widget in self._made.items()}
        return {tab: place for tab, place in made.items() if place.at or place.log} | self._awaited

    def go_back(self, places: dict[str, TabState]) -> None:
        """Go to these places, in each tab when it shows that app."""
        self._awaited = {tab: place for tab, place in places.items() if tab in self._pages}
        self._go_back()

    @property
    def shown(self) -> Widget | None:
        """The widget of the active tab."""
        return self._made.get(self.active)

    def focus_shown(self) -> bool:
        """Give the keyboard to the active tab. Says whether it took it."""
        shown = self.shown
        for one in [shown, *(shown.query("*") if shown else ())]:
            if one is not None and one.focusable:
                self.screen.set_focus(one)
                return True
        return False

    @on(Key)
    @on(MouseScrollDown)
    @on(MouseScrollUp)
    def stay_here(self) -> None:
        """The person moves."""
        for way in self._returns.get(self.active, {}).values():
            way.give_up()

    def on_tab_bar_chosen(self, message: TabBar.Chosen) -> None:
        message.stop()
        self.open(message.tab)

    def _show(self) -> None:
        if not self.is_attached:
            return
        self.query_one(TabBar).show(self._app, self.active)
        for name, widget in self._made.items():
            widget.set_class(name != self.active, "-hidden")
        if self.active in self._made:
            self._tell()
            return
        made = self._made[self.active] = self._pages[self.active].make()
        self.mount(made)
        self.call_after_refresh(self._tell)

    def _tell(self) -> None:
        """Name the app to the active tab, which is mounted now."""
        if self._app and isinstance(self.shown, ShowsApp):
            cast(ShowsApp, self.shown).show_app(self._app)
            self._go_back()

    def _place(self, tab: str, widget: Widget) -> TabState:
        log = cast(HasLog, widget).log_state if isinstance(widget, HasLog) else None
        return TabState(app=self._app, at=places_in(widget, self._returns.get(tab, {})), log=log)

    def _go_back(self) -> None:
        place, shown = self._awaited.get(self.active), self.shown
        if place is None or shown is None or place.app != self._app:
            return
        if not shown.is_mounted:
            self.call_after_refresh(self._go_back)
            return
        del self._awaited[self.active]
        if place.log and isinstance(shown, HasLog):
            cast(HasLog, shown).show_again(place.log)
        self._returns[self.active] = returns(shown, place.at)

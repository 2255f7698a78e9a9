"""The tab Events: what happened to the selected app."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from panel.client.events import Event
from panel.widgets.events.log import EventLog


class EventsPane(Vertical):
    """`known` are the newest events of all apps, which the dashboard keeps."""

    DEFAULT_CSS = """
    EventsPane { padding: 1 0 0 0; }
    EventsPane > Static { height: auto; padding: 0 2; color: $text-muted; }
    """

    def __init__(self, known: Iterable[Event]) -> None:
        super().__init__()
        self._known = known
        self._app = ""

    def compose(self) -> ComposeResult:
        yield EventLog("events-of-one")
        yield Static("[A] Audit log: who did what", markup=False)

    def show_app(self, name: str) -> None:
        if name == self._app:
            return
        self._app = name
        log = self.query_one(EventLog)
        log.begin_again()
        for event in [one for one in self._known if one.app == name]:
            log.take(event)

    def take(self, event: Event) -> None:
        if event.app == self._app and self.is_attached:
            self.query_one(EventLog).take(event)

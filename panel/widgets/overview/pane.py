"""The tab Overview."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.model import App
from panel.client.traffic_model import AppTraffic
from panel.widgets.overview.cards import cards
from panel.widgets.overview.figures import figures, joined
from panel.widgets.plots.plot import Plot

KEPT_S = 600
"""The plots go back so far."""
AGAIN_S = 2.0
"""The interval at which the newest numbers are asked for, while they are seen."""


class OverviewPane(VerticalScroll):
    """Shows the app that `show` was called with last: the dashboard knows it, and calls it again when it changes. The
    numbers it asks for itself."""

    DEFAULT_CSS = """
    OverviewPane { padding: 1 1 0 1; }
    OverviewPane > #cards { height: auto; margin-bottom: 1; }
    """

    def __init__(self, client: Client) -> None:
        super().__init__()
        self._client = client
        self._app: App | None = None
        self._now: datetime | None = None
        self._traffic: AppTraffic | None = None
        self._cards = Static(id="cards")
        self._plots = (Plot("Requests/s"), Plot("Errors/s"), Plot("Answers"))

    def compose(self) -> ComposeResult:
        yield self._cards
        yield from self._plots

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(AGAIN_S, self._again)

    def on_resize(self) -> None:
        self._draw()

    def show(self, app: App | None, now: datetime) -> None:
        self._app, self._now = app, now
        self._draw()

    def show_app(self, name: str) -> None:
        if self._traffic is None or self._traffic.app != name:
            self._traffic = None
            self._load(name)

    def _again(self) -> None:
        if self._app and self.is_on_screen:
            self._load(self._app.name)

    @work(exclusive=True, group="traffic")
    async def _load(self, app: str) -> None:
        known = self._traffic if self._traffic and self._traffic.app == app else None
        since = known.at[-1] if known and known.at else KEPT_S
        try:
            found = await self._client.app_traffic(app, since)
        except ClientError:
            return  # the dashboard says that the orchestrator does not answer, and from when its numbers are
        same_step = known is not None and known.step == found.step
        self._traffic = joined(known, found, KEPT_S) if known and same_step else found
        for plot, figure in zip(self._plots, figures(self._traffic, KEPT_S), strict=True):
            plot.show(figure)

    def _draw(self) -> None:
        if self._now:
            says = cards(self._app, self._now, self.content_size.width) if self._app else Text("No app is selected.")
            self._cards.update(says)

"""The tab Overview."""

from __future__ import annotations

from datetime import datetime

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.timer import Timer
from textual.widgets import Static

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.model import App
from panel.client.traffic_model import AppTraffic
from panel.preferred import times_of, when_times_change
from panel.widgets.overview.cards import cards
from panel.widgets.overview.figures import figures, joined
from panel.widgets.overview.usage import Usage, usage
from panel.widgets.plots.plot import Plot

SPANS_S = (600, 6 * 3600, 7 * 24 * 3600)
"""The plots go back so far: the first one at the beginning."""
AGAIN_S = {SPANS_S[0]: 2.0, SPANS_S[1]: 20.0, SPANS_S[2]: 60.0}
"""By span, the interval at which the newest numbers are asked for, while they are seen. The long ones are asked for
as a whole each time: the steps of the newest alone would be shorter ones."""


class OverviewPane(VerticalScroll):
    """Shows the app that `show` was called with last: the dashboard knows it, and calls it again when it changes. The
    numbers it asks for itself."""

    DEFAULT_CSS = """
    OverviewPane { padding: 1 1 0 1; }
    OverviewPane > #cards { height: auto; margin-bottom: 1; }
    """

    def __init__(self, client: Client, span_s: int = SPANS_S[0]) -> None:
        super().__init__()
        self._client = client
        self._span_s = span_s
        self._ticks: Timer | None = None
        self._app: App | None = None
        self._now: datetime | None = None
        self._asked_for = ""
        """The app whose numbers are shown, or asked for."""
        self._traffic: AppTraffic | None = None
        """Those of the shortest span, to which the newest are added. Of a long one only the plots are kept."""
        self._used: tuple[Usage, ...] = ()
        self._cards = Static(id="cards")
        self._plots = (Plot("Requests/s"), Plot("Errors/s"), Plot("Answers"))

    def compose(self) -> ComposeResult:
        yield self._cards
        yield from self._plots

    def on_mount(self) -> None:
        self._draw()
        when_times_change(self, self._draw)
        self._ticks = self.set_interval(AGAIN_S[self._span_s], self._again)

    def on_resize(self) -> None:
        self._draw()

    def show(self, app: App | None, now: datetime) -> None:
        self._app, self._now = app, now
        self._draw()

    def show_app(self, name: str) -> None:
        if name != self._asked_for:
            self._asked_for, self._traffic, self._used = name, None, ()
            self._load(name)

    def show_span(self, span_s: int) -> None:
        """Go back so far."""
        self._span_s, self._traffic = span_s, None
        if self._ticks:
            self._ticks.stop()
            self._ticks = self.set_interval(AGAIN_S[span_s], self._again)
        if self._asked_for:
            self._load(self._asked_for)

    def _again(self) -> None:
        if self._app and self.is_on_screen:
            self._load(self._app.name)

    @work(exclusive=True, group="traffic")
    async def _load(self, app: str) -> None:
        span_s = self._span_s
        try:
            found = await self._found(app, span_s)
        except ClientError:
            return  # the dashboard says that the orchestrator does not answer, and from when its numbers are
        self._traffic = found if span_s == SPANS_S[0] else None
        for plot, figure in zip(self._plots, figures(found, span_s), strict=True):
            plot.show(figure)
        if (used := usage(found)) != self._used:
            self._used = used
            self._draw()

    async def _found(self, app: str, span_s: int) -> AppTraffic:
        """The numbers of the span; only the newest are asked for if those before them are known."""
        known = self._traffic if self._traffic and self._traffic.app == app and self._traffic.at else None
        if known:
            newer = await self._client.app_traffic(app, known.at[-1])
            if newer.step == known.step:
                return joined(known, newer, span_s)
        return await self._client.app_traffic(app, span_s)

    def _draw(self) -> None:
        if self._now:
            width, times = self.content_size.width, times_of(self)
            used = self._used if self._app and self._app.name == self._asked_for else ()
            may, app = self._client.permission.may_deploy, self._app
            says = cards(app, self._now, width, used, times, may_deploy=may) if app else Text("No app is selected.")
            self._cards.update(says)

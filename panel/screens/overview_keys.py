"""The key of the dashboard that says how far back the plots of the overview go."""

from __future__ import annotations

from textual.binding import Binding

from panel.screens.app_keys import AppKeys
from panel.widgets.overview.figures import span_in_words
from panel.widgets.overview.pane import SPANS_S, OverviewPane
from panel.widgets.tabs.app_tabs import AppTabs

SPAN_KEY = Binding(
    "t,T", "span", "Time", key_display="T", tooltip="Show the plots of 10 minutes, 6 hours or 7 days (tab Overview)"
)


class OverviewKeys(AppKeys):
    span_s: int = SPANS_S[0]
    """How far back the plots go."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is nothing to see of it in another tab."""
        if action == "span":
            return any(tabs.active == "overview" for tabs in self.query(AppTabs))
        return super().check_action(action, parameters)

    def action_span(self) -> None:
        """The next longer time; the shortest follows the longest."""
        self.show_span(SPANS_S[(SPANS_S.index(self.span_s) + 1) % len(SPANS_S)])
        self.notify(f"The plots show {span_in_words(self.span_s)}.", timeout=2)

    def show_span(self, span_s: int) -> None:
        """Go back so far; what another release has as a time is left as it is."""
        if span_s not in SPANS_S or span_s == self.span_s:
            return
        self.span_s = span_s
        for pane in self.query(OverviewPane):
            pane.show_span(span_s)

    def new_overview(self) -> OverviewPane:
        return OverviewPane(self._client, self.span_s)

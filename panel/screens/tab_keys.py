"""The keys of the dashboard that are about what one tab shows, and what makes its tabs."""

from __future__ import annotations

from textual.binding import Binding

from panel.client.permission import ADMIN
from panel.screens.alert_keys import AlertKeys
from panel.widgets.configuration.pane import ConfigurationPane
from panel.widgets.deployments.pane import DeploymentsPane
from panel.widgets.events.pane import EventsPane
from panel.widgets.overview.figures import span_in_words
from panel.widgets.overview.pane import SPANS_S, OverviewPane
from panel.widgets.tabs.app_tabs import AppTabs

TAB_KEYS = (
    Binding(
        "t,T", "span", "Time", key_display="T", tooltip="Show the plots of 10 minutes, 6 hours or 7 days (tab Overview)"
    ),
    Binding(
        "e,E",
        "events_or_audit",
        "Events or audit",
        key_display="E",
        tooltip="Show who did what to the app, or its events again (tab Events; needs scope admin)",
    ),
)


class TabKeys(AlertKeys):
    """Each is offered only while its tab is shown."""

    span_s: int = SPANS_S[0]
    """How far back the plots go."""
    has_audit: bool = False
    """Whether the tab Events shows who did what."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "span":
            return self._is_open("overview")
        if action == "events_or_audit":
            return self._is_open("events") and self._permission.allows(ADMIN)
        return super().check_action(action, parameters)

    def _is_open(self, tab: str) -> bool:
        return any(tabs.active == tab for tabs in self.query(AppTabs))

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

    async def action_events_or_audit(self) -> None:
        for pane in self.query(EventsPane):
            await pane.choose_other()

    def on_events_pane_chosen(self, message: EventsPane.Chosen) -> None:
        self.has_audit = message.audit

    def _overview(self) -> OverviewPane:
        return OverviewPane(self._client, self.span_s)

    def _deployments(self) -> DeploymentsPane:
        return DeploymentsPane(self._client, self._clock)

    def _configuration(self) -> ConfigurationPane:
        return ConfigurationPane(self._client, self._clock)

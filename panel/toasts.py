"""What a session is told without asking: new versions and alerts, unless its person prefers to have no notices."""

from __future__ import annotations

from collections.abc import Sequence

from textual import work

from border.plain import one_line
from panel.client.client import Client
from panel.client.events import Event
from panel.client.model import App
from panel.client.update_model import Update
from panel.clock import Clock
from panel.new_versions import News
from panel.preferred import Preferred
from panel.screens.dashboard import DashboardScreen
from panel.screens.startup import UPDATE, StartupScreen
from panel.text.alert_toast import alert_toast
from panel.text.shortened import shortened
from panel.version import release

TOLD_WITHIN_S = 30.0
"""An alert that is older is no news."""


class Toasts(Preferred):
    client: Client
    clock: Clock
    _dashboard: DashboardScreen

    def tell_of(self, news: News) -> None:
        """Tell of new versions."""
        if not self.preferences.notices:
            return
        for app in news.toasts:
            if app.update:
                title = f"🆕 Update available: {one_line(app.name)} {shortened(one_line(app.update.version), 40)}"
                key = "press [U]" if self.client.permission.may_deploy else "press [D] for details"
                self.notify(f"Select the app and {key}.", title=title, timeout=10, markup=False)
        if news.notice and news.notice.update and self.screen is self._dashboard:
            self._announce(news.notice, news.notice.update, news.also)

    def tell_of_alert(self, event: Event) -> None:
        """Tell what happens, if it does so now, and people are told of such."""
        if not self.preferences.notices or (self.clock() - event.at).total_seconds() >= TOLD_WITHIN_S:
            return
        if told := alert_toast(event):
            self._tell_alert(event.app, *told)

    @work
    async def _tell_alert(self, app: str, says: str, is_bad: bool) -> None:
        """Once it is known which apps are muted."""
        await self._dashboard.loaded()
        if not any(one.name == app and one.is_muted(self.clock()) for one in self._dashboard.apps):
            self.notify(one_line(says), severity="error" if is_bad else "information", timeout=10, markup=False)

    def _announce(self, app: App, update: Update, also: Sequence[App]) -> None:
        others = tuple((one.name, one.update.version) for one in also if one.update)
        notice = StartupScreen(release(), app.name, update, others, may_install=self.client.permission.may_deploy)

        def answered(wanted: str | None) -> None:
            if wanted:
                self._dashboard.select(app.name)
                self._dashboard.action_update() if wanted == UPDATE else self._dashboard.action_details()
            elif notice.passed_on:
                self.simulate_key(notice.passed_on)

        self.push_screen(notice, answered)

"""The keys of the dashboard that show what went wrong, and that mute an app."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Sequence

from textual import work
from textual.binding import Binding

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.model import App
from panel.client.permission import ADMIN, DEPLOY, READ
from panel.clock import Clock
from panel.preferred import times_of
from panel.screens.alerts import AlertsScreen
from panel.screens.app_keys import AppKeys
from panel.text.moments import muted_until

ALERT_KEYS = (
    Binding("h,H", "alerts", "Alerts", key_display="H", tooltip="Show what went wrong"),
    Binding("m,M", "mute", "Mute", key_display="M", tooltip="Mute the app, or end that"),
)

NEEDS = {
    "mute": DEPLOY,
    "update": DEPLOY,
    "dismiss_update": DEPLOY,
    "rollback": DEPLOY,
    "notices": ADMIN,
    "audit": ADMIN,
}
"""The scope that an action of the dashboard needs, if it is more than reading."""


class AlertKeys(AppKeys):
    """A base of the dashboard, which has `ALERT_KEYS` among its keys."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__(client, clock)
        self._permission = client.permission
        self._mute_turn = asyncio.Lock()
        self._mute_wanted: dict[str, bool] = {}
        """By app: whether it is to be muted, as the last key said whose request is under way."""

    @abstractmethod
    def show(self, apps: Sequence[App]) -> None:
        """Show these apps."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Whoever may only read is offered nothing else."""
        if not self._permission.allows(NEEDS.get(action, READ)):
            return False
        return super().check_action(action, parameters)

    def action_alerts(self) -> None:
        """Show the alerts of the last 90 days."""
        self.app.push_screen(AlertsScreen(self._client, self._clock, self.selected))

    def action_mute(self) -> None:
        """Mute the app under the cursor at once, or end that."""
        self._with_current(self._change_mute)

    def _change_mute(self, app: App) -> None:
        is_muted = self._mute_wanted.get(app.name, app.is_muted(self._clock()))
        self._mute_wanted[app.name] = not is_muted
        self._mute(app.name, muted=not is_muted)

    @work(group="changes")
    async def _mute(self, app: str, *, muted: bool) -> None:
        async with self._mute_turn:  # in the order of the keys
            try:
                answer = await (self._client.mute(app) if muted else self._client.unmute(app))
            except ClientError as error:
                self._mute_wanted.pop(app, None)
                self._complain(error)
                return
        if self._mute_wanted.get(app) is muted:
            del self._mute_wanted[app]
        until = answer.muted_until
        self.show([one.model_copy(update={"muted_until": until}) if one.name == app else one for one in self._apps])
        if until:
            muted_now = muted_until(until, self._clock(), times_of(self))
            says = f"{app} is {muted_now}: no notices of it are sent. M again takes it back."
        else:
            says = f"{app} is not muted any more."
        self.app.notify(says, markup=False)

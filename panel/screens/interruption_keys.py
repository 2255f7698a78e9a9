"""The keys of the dashboard that pause and resume the requests of an app, and that cancel its deployment."""

from __future__ import annotations

from abc import abstractmethod

from textual import work
from textual.binding import Binding

from panel.client.errors import ClientError
from panel.client.model import App
from panel.client.permission import DEPLOY
from panel.screens import interruptions
from panel.screens.alert_keys import AlertKeys
from panel.screens.interruptions import CANCEL, PAUSE, PAUSED_FOR_S, RESUME, is_possible
from panel.screens.open_question import is_valid
from panel.screens.question import QuestionScreen
from panel.session.state import OpenQuestion

ACTIONS = (PAUSE, RESUME, CANCEL)
CANCEL_KEY = Binding(
    "c,C", CANCEL, "Cancel", key_display="C", tooltip="Ask, and cancel the deployment under way before its switch"
)
PAUSE_KEYS = (
    Binding("w,W", PAUSE, "Pause", key_display="W", tooltip="Ask, and let new requests of the app wait"),
    Binding("w,W", RESUME, "Resume", key_display="W", tooltip="Ask, and let the paused requests of the app go on"),
)


class InterruptionKeys(AlertKeys):
    """Each acts on the app under the cursor, and is offered only while it does something."""

    _offered: frozenset[str] = frozenset()
    _asks_to_cancel: QuestionScreen | None = None
    """The question before a cancel that was asked last."""

    @abstractmethod
    def requests_of(self, app: str) -> float | None:
        """How many requests the app gets in a second now; None if that is not known."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ACTIONS:
            return action in self._possible
        return super().check_action(action, parameters)

    @property
    def _possible(self) -> frozenset[str]:
        app = self._named(self.selected)
        if app is None or not self._permission.allows(DEPLOY):
            return frozenset()
        return frozenset(action for action in ACTIONS if is_possible(action, app))

    def offer_interruptions(self) -> None:
        """The app under the cursor, or what is known of it, has changed."""
        if (possible := self._possible) != self._offered:
            self._offered = possible
            self.refresh_bindings()
        asked = self._asks_to_cancel
        if asked and asked.survives and self.app.screen is asked and not is_valid(asked.survives, self._apps):
            asked.dismiss(False)
            self.app.notify("The deployment cannot be cancelled any more.", severity="warning")

    def action_pause(self) -> None:
        """Ask, and let new requests of the app under the cursor wait at the proxy."""
        self._with_current(self._ask_to_pause)

    def _ask_to_pause(self, app: App) -> None:
        survives = OpenQuestion(kind=PAUSE, app=app.name, about="")
        question = interruptions.pause(app.name, self.requests_of(app.name), survives)
        self._ask(question, lambda: self._pause(app.name))

    @work(group="changes")
    async def _pause(self, app: str) -> None:
        try:
            await self._client.pause(app, PAUSED_FOR_S)
        except ClientError as error:
            self._complain(error)
            return
        self.app.notify(f"{app} is paused: its new requests wait. W resumes it.", markup=False)

    def action_resume(self) -> None:
        """Ask, and let the paused requests of the app under the cursor go on."""
        self._with_current(self._ask_to_resume)

    def _ask_to_resume(self, app: App) -> None:
        question = interruptions.resume(app.name, OpenQuestion(kind=RESUME, app=app.name, about=""))
        self._ask(question, lambda: self._resume(app.name))

    @work(group="changes")
    async def _resume(self, app: str) -> None:
        try:
            await self._client.resume(app)
        except ClientError as error:
            self._complain(error)
            return
        self.app.notify(f"{app} is resumed: its requests go to the active release.", markup=False)

    def action_cancel(self) -> None:
        """Ask, and cancel the deployment of the app under the cursor."""
        self._with_current(self._ask_to_cancel)

    def _ask_to_cancel(self, app: App) -> None:
        if app.deployment is None:
            return
        one = app.deployment
        survives = OpenQuestion(kind=CANCEL, app=app.name, about=one.id)
        self._asks_to_cancel = interruptions.cancel(app.name, one.id, one.step, survives)
        self._ask(self._asks_to_cancel, lambda: self._cancel(one.id))

    @work(group="changes")
    async def _cancel(self, deployment: str) -> None:
        try:
            await self._client.cancel(deployment)
        except ClientError as error:
            self._complain(error)
            return
        self.app.notify(f"Deployment {deployment} is cancelled: what it has done is undone. P shows it.", markup=False)

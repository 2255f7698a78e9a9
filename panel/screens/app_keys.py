"""The keys of a screen that do something with the app under the cursor."""

from __future__ import annotations

import asyncio
import secrets
from abc import abstractmethod
from collections.abc import Callable

from textual import work
from textual.screen import ModalScreen, Screen

from panel.client.client import Client
from panel.client.errors import ClientError
from panel.client.model import App
from panel.clock import Clock
from panel.screens.progress import ProgressScreen
from panel.screens.question import AsksPlan
from panel.screens.whole import is_whole


class AppKeys(Screen[None]):
    """The base of the dashboard. A key that is pressed before the API's first answer waits for it."""

    def __init__(self, client: Client, clock: Clock) -> None:
        super().__init__()
        self._client = client
        self._clock = clock
        self._apps: tuple[App, ...] = ()
        self._loaded = asyncio.Event()

    async def loaded(self) -> None:
        """Wait for the API's first answer."""
        await self._loaded.wait()

    @property
    def apps(self) -> tuple[App, ...]:
        """As they were shown last."""
        return self._apps

    @property
    @abstractmethod
    def selected(self) -> str:
        """The app under the cursor; empty when there is none."""

    def _with_current(self, act: Callable[[App], object]) -> None:
        """Do this with the app under the cursor. A key that is pressed before the API's first answer waits for it."""
        if not self._loaded.is_set():
            self._once_loaded(act)
        elif app := self._named(self.selected):
            act(app)

    def _named(self, name: str) -> App | None:
        """The app as it was shown last; None if there is none of this name."""
        return next((app for app in self._apps if app.name == name), None)

    @work(exclusive=True, group="asked")
    async def _once_loaded(self, act: Callable[[App], object]) -> None:
        await self.loaded()
        if self._is_shown:
            self._with_current(act)

    @property
    def _is_shown(self) -> bool:
        return is_whole(self) and self.app.screen is self

    def _ask(self, question: ModalScreen[bool], act: Callable[[], object]) -> None:
        def answered(yes: bool | None) -> None:
            if yes:
                act()

        self.app.push_screen(question, answered)

    def _complain(self, error: ClientError) -> None:
        self.notify(str(error), severity="error", timeout=15, markup=False)

    def _ask_to_deploy(self, question: ModalScreen[bool], app: str, revision: str) -> None:
        """Ask, deploy what was confirmed, and show its progress."""
        # One for each question: a release that failed can be asked for again.
        key = secrets.token_hex(8)
        self._ask(question, lambda: self._deploy(app, revision, key))

    @work(group="changes")
    async def _deploy(self, app: str, revision: str, key: str) -> None:
        try:
            asked = await self._client.deploy(app, revision, idempotency_key=key)
        except ClientError as error:
            self._complain(error)
            return
        if self._is_shown:
            self._follow(app, asked.id)

    def _plan_of(self, app: str, kind: str = "deploy") -> AsksPlan:
        return lambda: self._client.plan(app, kind)

    def _follow(self, app: str, deployment: str) -> None:
        self.app.push_screen(ProgressScreen(self._client, app, deployment, self._clock))

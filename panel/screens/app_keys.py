"""The keys of a screen that do something with the app under the cursor."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Callable

from textual import work
from textual.screen import ModalScreen, Screen

from panel.client.errors import ClientError
from panel.client.model import App
from panel.screens.whole import is_whole


class AppKeys(Screen[None]):
    """The base of the dashboard. A key that is pressed before the API's first answer waits for it."""

    def __init__(self) -> None:
        super().__init__()
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

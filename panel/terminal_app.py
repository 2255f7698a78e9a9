"""The panel's app in a terminal, which continues what the last run showed."""

from __future__ import annotations

import sys

from rich.console import RenderableType
from textual import work

from panel.app import PanelApp
from panel.client.client import Client
from panel.keys.terminal_driver import TerminalDriver
from panel.restart import state_before
from panel.saver import EVERY_S, Saver
from panel.session.found import Found
from panel.session.state import SessionState
from panel.session.state_file import StateFile
from panel.session.unavailable import StoreUnavailable
from panel.uninterrupted import in_thread


class TerminalApp(PanelApp):
    """Saves its state while it runs, so that one that is killed or crashes has lost a second at the most."""

    def __init__(self, client: Client, kept: StateFile) -> None:
        super().__init__(client, driver_class=TerminalDriver)
        self._kept = kept
        self._saver = Saver(self._keep, self._say_not_saved)
        self._last: SessionState | None = None

    def begin_in_terminal(self) -> None:
        self._begin_from_file(state_before())

    @work
    async def _begin_from_file(self, before: SessionState | None) -> None:
        """`before`: what this process showed before it started itself again."""
        try:
            found = await in_thread(self._kept.load)
        except StoreUnavailable as error:
            found = Found(notice=f"What the last run showed is not restored: {error}")
        self.begin(before or found.state)
        if found.notice:
            self.notify(found.notice, severity="warning", timeout=20, markup=False)
        self.set_interval(EVERY_S, self._save_if_changed)

    def exit(self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """The screens go now: what they show is taken before. Before it has begun, the file has what is to be shown."""
        if self._begun_at is not None:
            self._last = self.state
        super().exit(result, return_code, message)

    async def _save_if_changed(self) -> None:
        await self._saver.save_if_changed(lambda: self.state)

    def save_last(self) -> None:
        """What was shown when the app ended, and unlock the file. It blocks: call it when the event loop has ended."""
        if self._last is not None:
            try:
                self._keep(self._last)
            except StoreUnavailable as error:
                print(f"What you saw is not saved: {error}", file=sys.stderr)
        self._kept.close()

    def _keep(self, state: SessionState) -> None:
        """A reload is over when the next run begins."""
        self._kept.save(state.model_copy(update={"reload": None}))

    def _say_not_saved(self, says: str) -> None:
        self.notify(says, severity="warning", timeout=15, markup=False)

"""The keys R and Ctrl+R: the panel's own process is restarted, and goes on with its state. Nothing else is."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from contextlib import suppress
from datetime import datetime

from textual import work
from textual.app import App
from textual.binding import Binding

from panel.clock import Clock
from panel.restart import RESTART
from panel.screens.reload import ReloadScreen
from panel.session.state import Reload, SessionState

KEYS = (
    Binding(
        "r,R", "reload", "Reload", key_display="R", show=False, tooltip="Restart the panel's process, with its state"
    ),
    Binding("ctrl+r", "hard_restart", "Restart", show=False, tooltip="The same at once, without showing its steps"),
)
CHANGES = "changes"
"""The group of the workers that send what a person has decided."""
SENT_WITHIN_S = 2.0


class Reloads(App[int]):
    clock: Clock
    left: SessionState | None = None
    """The state with which the process is to be started again, when it has ended with RESTART."""
    _reload: Reload | None = None
    _begun_at: datetime | None = None
    """When this process took over the session."""

    @property
    @abstractmethod
    def state(self) -> SessionState:
        """What is shown now."""

    async def save_state(self) -> str:
        """Save it where the next process finds it. Returns why that failed; empty if it is saved. In a terminal, the
        next process gets it from this one."""
        return ""

    def action_reload(self) -> None:
        """Save the state, restart the process, and show what was done."""
        if not isinstance(self.screen, ReloadScreen):
            self.push_screen(ReloadScreen())
            self._restart(self.clock())

    def action_hard_restart(self) -> None:
        """Restart the process with its state."""
        self._restart(None)

    @work(exclusive=True, group="restart")
    async def _restart(self, began_at: datetime | None) -> None:
        """`began_at`: when it was asked for, if its steps are shown."""
        await self._send_changes()
        problem = await self.save_state()
        if not problem and began_at:
            self._reload = Reload(began_at=began_at, saved_at=self.clock())
            problem = await self.save_state()
        if problem:
            self._reload = None
            self._close_reload()
            self.notify(f"Not restarted: {problem}", severity="error", timeout=15, markup=False)
            return
        self.left = self.state
        self.exit(return_code=RESTART)

    async def _send_changes(self) -> None:
        """What a person has decided a moment ago is sent before the process ends, as far as it is answered in time."""
        waited_for = [one.wait() for one in self.workers if one.group == CHANGES]
        with suppress(TimeoutError):
            async with asyncio.timeout(SENT_WITHIN_S):
                await asyncio.gather(*waited_for, return_exceptions=True)

    def _close_reload(self) -> None:
        if isinstance(self.screen, ReloadScreen):
            self.pop_screen()

    def show_reload(self, reload: Reload) -> None:
        """Say what the reload did, in the process that goes on after it."""
        now = self.clock()
        self.push_screen(ReloadScreen(reload, self._begun_at or now, now))

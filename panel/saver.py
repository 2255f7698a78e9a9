"""The saving of a session's state. A store that is away for a moment costs nothing but the saving."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from panel.session.state import SessionState
from panel.session.unavailable import StoreUnavailable
from panel.uninterrupted import in_thread

EVERY_S = 1.0
"""The interval at which a state that has changed is saved."""


class Saver:
    """`keep` stores a state and blocks; `tell` tells the person that it fails, once until it succeeds again."""

    def __init__(self, keep: Callable[[SessionState], None], tell: Callable[[str], None]) -> None:
        self._keep = keep
        self._tell = tell
        self._saved: SessionState | None = None
        self._one_at_a_time = asyncio.Lock()
        self._fails = False

    async def save(self, state: Callable[[], SessionState]) -> str:
        """One at a time, so that an older state never replaces a newer one; awaited to its end, also when cancelled.
        Returns why it is not saved."""
        async with self._one_at_a_time:
            now = state()
            try:
                await in_thread(self._keep, now)
            except StoreUnavailable as error:
                if not self._fails:
                    self._fails = True
                    self._tell(f"What you see is not saved now: {error} It is tried again each second.")
                return str(error)
            self._fails, self._saved = False, now
            return ""

    async def save_if_changed(self, state: Callable[[], SessionState]) -> None:
        if state() != self._saved:
            await self.save(state)

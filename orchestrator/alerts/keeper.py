"""Keeps the alerts current: reads the events that it has not read yet, also those of before a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.alerts.of_events import READ, changed_by
from orchestrator.clock import now
from orchestrator.domain.alert import Alert
from orchestrator.domain.events import Occurrence
from orchestrator.journal.store import Journal

KEPT_FOR = timedelta(days=90)
LOOK_AGAIN_S = 6 * 3600.0
"""So often alerts that are too old are forgotten where nothing happens."""
BATCH = 500


class AlertKeeper:
    """Implements Notifier. Used on the event loop alone; `keep_current` runs until it is cancelled.

    Which events it has read is written in one transaction with what it made of them. After a kill it reads again those
    of which nothing was made, so that each alert is there once.
    """

    def __init__(self, journal: Journal, clock: Callable[[], datetime] = now) -> None:
        self._journal, self._now = journal, clock
        self._news = asyncio.Event()

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Implements Notifier."""
        if happened.kind in READ:
            self._news.set()

    async def keep_current(self) -> None:
        """Raises JournalError: then it is started again, and begins where it was."""
        while True:
            self._news.clear()
            while await self._read():
                pass
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._news.wait()

    async def _read(self) -> bool:
        """Make alerts of the next events. Whether there may be more."""
        return await self._journal.beside(self._make)

    def _make(self) -> bool:
        journal = self._journal
        before = journal.alerts_made_until()
        events, until = journal.events_of_kinds(READ, before, BATCH)
        going_on = {one.id: one for one in journal.alerts_going_on()}
        changed: dict[int, Alert] = {}
        for event in events:
            for one in changed_by(event, list(going_on.values()), self._was_muted):
                # One that begins here has no id yet, and may end with a later event of the same batch.
                id = one.id or -1 - len(changed)
                changed[id] = replace(one, id=id)
                if one.ended_at:
                    going_on.pop(id)
                else:
                    going_on[id] = changed[id]
        journal.save_alerts(changed.values(), until, forget_before=self._now() - KEPT_FOR)
        return len(events) == BATCH

    def _was_muted(self, app: str, moment: datetime) -> bool:
        mute = self._journal.mute(app)
        return mute is not None and mute.covers(moment)

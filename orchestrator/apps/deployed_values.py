"""Remembers the configuration that each live release was deployed with, to say what was changed since."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from orchestrator.apps.context import AppContext
from orchestrator.apps.made_from import is_made_from
from orchestrator.config.effective import effective
from orchestrator.domain.events import EventKind, Occurrence
from orchestrator.journal.store import Journal


class DeployedValues:
    """Implements Notifier. Used on the event loop alone; `keep_current` runs until it is cancelled. It looks at a start
    and when a release has become live: what a kill has kept it from is done then, if the configuration is the same."""

    def __init__(self, apps: Callable[[], list[AppContext]], journal: Journal) -> None:
        self._apps, self._journal = apps, journal
        self._news = asyncio.Event()

    def notify(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Implements Notifier."""
        if happened.kind == EventKind.LIVE:
            self._news.set()

    async def keep_current(self) -> None:
        """Raises JournalError: then it is started again."""
        while True:
            self._news.clear()
            for context in self._apps():
                await self._journal.beside(self._look, context)
            await self._news.wait()

    def _look(self, context: AppContext) -> None:
        slots = self._journal.slots(context.name)
        if not slots.active or self._journal.deployed_values(slots.active) is not None:
            return
        # Of a configuration that was changed meanwhile it is not known what it was.
        if is_made_from(context, self._journal.deployment(slots.active)):
            kept = [one for one in (slots.active, slots.standby) if one]
            self._journal.save_deployed_values(context.name, slots.active, effective(context.config), kept)

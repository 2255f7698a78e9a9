"""Watches the free disk space, which deployments require, between two deployments as well."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from orchestrator.config.schema import Config
from orchestrator.domain.alert import DiskEnough, DiskLow
from orchestrator.domain.events import EventKind
from orchestrator.events.stream import EventStream
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.journal.store import Journal

MIB = 1024 * 1024
LOOK_AGAIN_S = 60.0
AGAIN_ENOUGH = 1.1
"""So many times what is required must be free until it is enough again: it is not told again and again at the limit."""


def free_mb(folder: Path) -> int:
    return shutil.disk_usage(folder).free // MIB


class DiskWatch:
    """Publishes when the disk space falls below the limit, and when there is enough again. `config` has the limit, as
    it is now. `keep_watching` runs until it is cancelled."""

    def __init__(
        self,
        folder: Path,
        config: Callable[[], Config],
        journal: Journal,
        events: EventStream,
        free: Callable[[Path], int] = free_mb,
    ) -> None:
        self._folder, self._config, self._free = folder, config, free
        self._journal, self._events = journal, events

    async def keep_watching(self) -> None:
        """Raises JournalError: then it is started again."""
        kinds = (EventKind.DISK_LOW, EventKind.DISK_ENOUGH)
        newest = await self._journal.beside(self._journal.newest_events, kinds, limit=1)
        is_low = bool(newest) and newest[0].kind == EventKind.DISK_LOW
        while True:
            free, required = (
                await to_its_end(asyncio.to_thread(self._free, self._folder)),
                self._config().disk.min_free_mb,
            )
            if not is_low and free < required:
                await self._events.publish(DiskLow(free, required))
                is_low = True
            elif is_low and free >= required * AGAIN_ENOUGH:
                await self._events.publish(DiskEnough(free))
                is_low = False
            await asyncio.sleep(LOOK_AGAIN_S)

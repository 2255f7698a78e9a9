"""Records each minute in the journal."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import replace

import structlog

from orchestrator.domain.traffic import AppMinute, Container, Minute, Point, Use
from orchestrator.errors import JournalError
from orchestrator.journal.store import Journal

log = structlog.get_logger()

MOST_WAITING = 60
"""Minutes wait for a journal that is away; of more, the oldest are gaps."""
AGAIN_AFTER_S = 10.0
IN_ANY_CASE_EVERY = 60
"""In one of so many minutes each app is recorded, so that a reader of a part of them knows what its containers use."""
CPU_CHANGES, MEMORY_CHANGES = 0.01, 0.02
"""By how much of a core, and by which share of its memory, a container must have changed to be recorded again."""


class MinuteLog:
    """`add` takes a minute, and one task records, until it is cancelled.

    An app without requests, whose containers use what was recorded last, has no row: a hundred idle apps cost nothing.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: deque[Minute] = deque(maxlen=MOST_WAITING)
        self._news = asyncio.Event()
        self._recorded: dict[str, Mapping[Container, Use]] = {}
        self._added = 0

    def add(self, minute: Minute) -> None:
        self._added += 1
        if self._added % IN_ANY_CASE_EVERY == 0:
            self._recorded = {}
        worth = tuple(one for one in minute.apps if self._is_worth_a_row(one))
        self._recorded = {one.app: self._recorded.get(one.app, {}) for one in minute.apps}
        self._recorded |= {one.app: one.containers for one in worth}
        self._waiting.append(replace(minute, apps=worth))
        self._news.set()

    async def keep_recording(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            minutes = list(self._waiting)
            try:
                await self._journal.beside(self._journal.add_minutes, minutes)
            except JournalError as error:
                log.warning("minutes of traffic not recorded yet", cause=error.cause, minutes=len(minutes))
                await asyncio.sleep(AGAIN_AFTER_S)
                self._news.set()
            else:
                while self._waiting and self._waiting[0] in minutes:
                    self._waiting.popleft()

    def _is_worth_a_row(self, minute: AppMinute) -> bool:
        recorded = self._recorded.get(minute.app)
        if recorded is None or any(minute.point[: Point._fields.index("p50")]):
            return True
        return recorded.keys() != minute.containers.keys() or any(
            _has_changed(use, recorded[container]) for container, use in minute.containers.items()
        )


def _has_changed(use: Use, recorded: Use) -> bool:
    if any(math.isnan(one) != math.isnan(other) for one, other in zip(use, recorded, strict=True)):
        return True
    return (
        abs(use.cpu - recorded.cpu) > CPU_CHANGES
        or abs(use.memory - recorded.memory) > MEMORY_CHANGES * recorded.memory
    )

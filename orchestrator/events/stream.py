"""The event stream: events are recorded in the journal, then passed to notifiers and followers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

from orchestrator.domain.events import Event, EventKind, Line, NewEvent, Occurrence
from orchestrator.errors import JournalError
from orchestrator.events.notifier import Notifier
from orchestrator.journal.store import Journal

BATCH = 500
GATHER_S = 0.05
RETRY_S = 1.0
MOST_LINES = 10_000


class EventStream:
    """The events of all apps, in order. A follower that connects later gets the events since a given id."""

    def __init__(self, journal: Journal, notifiers: Iterable[Notifier] = ()) -> None:
        self._journal = journal
        self._notifiers = list(notifiers)
        self._lines: list[NewEvent] = []
        self._flush: asyncio.TimerHandle | None = None
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def publish(self, happened: Occurrence, app: str = "", deployment: str = "") -> None:
        """Record an event, after all lines of output that came before it, and notify. Raises JournalError."""
        self._write([*self._take_lines(), NewEvent(happened.kind, app, deployment, happened.as_json())])
        for notifier in self._notifiers:
            notifier.notify(happened, app, deployment)

    def add(self, notifier: Notifier) -> None:
        """Add a notifier. It receives events from now on."""
        self._notifiers.append(notifier)

    def say(self, deployment: str, line: str) -> None:
        """Record one line of output. Lines are collected for GATHER_S seconds and recorded together."""
        self._lines.append(NewEvent(EventKind.LINE, "", deployment, Line(line).as_json()))
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(GATHER_S, self._flush_lines)

    def _take_lines(self) -> list[NewEvent]:
        if self._flush:
            self._flush.cancel()
            self._flush = None
        lines, self._lines = self._lines, []
        return lines

    def _flush_lines(self) -> None:
        try:
            self._write(self._take_lines())
        except JournalError:
            # The lines are kept and written later. The deployment that printed them reports the journal's error.
            self._flush = asyncio.get_running_loop().call_later(RETRY_S, self._flush_lines)

    def _write(self, events: list[NewEvent]) -> None:
        """Record events. Raises JournalError; then at most MOST_LINES lines of output are kept for the next write."""
        try:
            self._journal.append_events(events)
        except JournalError:
            self._lines = [*(one for one in events if one.kind is EventKind.LINE), *self._lines][-MOST_LINES:]
            raise
        task = asyncio.get_running_loop().create_task(self._wake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def follow(self, after: int, deployment: str = "") -> AsyncIterator[Event]:
        """Events with ids above `after`, without end; only those of `deployment` if it is given."""
        while True:
            async with self._news:
                events = self._journal.events(after, deployment, BATCH)
                if not events:
                    await self._news.wait()
                    continue
            for event in events:
                after = event.id
                yield event

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()

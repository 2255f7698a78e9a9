"""The one event stream: written to the journal, then handed to whoever listens."""

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
    """Events of all apps in their order. A listener that comes later, or comes back, gets what it missed."""

    def __init__(self, journal: Journal, notifiers: Iterable[Notifier] = ()) -> None:
        self._journal = journal
        self._notifiers = list(notifiers)
        self._lines: list[NewEvent] = []
        self._flush: asyncio.TimerHandle | None = None
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    def publish(self, happened: Occurrence, app: str = "", deployment: str = "") -> None:
        """Record and tell what happened, after all lines that were said before it. Raises JournalError."""
        self._write([*self._take_lines(), NewEvent(happened.kind, app, deployment, happened.as_json())])
        for notifier in self._notifiers:
            notifier.notify(happened, app, deployment)

    def add(self, notifier: Notifier) -> None:
        """Tell this one, too, from now on."""
        self._notifiers.append(notifier)

    def say(self, deployment: str, line: str) -> None:
        """One line of output. Gathered for a moment: a build prints hundreds, and each batch is one write."""
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
            # They are kept; whatever was printing them is about to meet the same error, and tells it.
            self._flush = asyncio.get_running_loop().call_later(RETRY_S, self._flush_lines)

    def _write(self, events: list[NewEvent]) -> None:
        """Raises JournalError; then lines of output are kept for the next time, the newest of very many."""
        try:
            self._journal.append_events(events)
        except JournalError:
            self._lines = [*(one for one in events if one.kind is EventKind.LINE), *self._lines][-MOST_LINES:]
            raise
        task = asyncio.get_running_loop().create_task(self._wake())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def follow(self, after: int, deployment: str = "") -> AsyncIterator[Event]:
        """Events with ids above `after`, for ever; those of one deployment if it is named."""
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

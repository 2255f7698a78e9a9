"""The event stream: events are recorded in the journal, then passed to notifiers and followers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from border.secrets import Secrets
from orchestrator.domain.events import Event, EventKind, Line, NewEvent, Occurrence
from orchestrator.errors import JournalError
from orchestrator.events.notifier import Notifier
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.journal.store import Journal

BATCH = 500
GATHER_S = 0.05
RETRY_S = 1.0
MOST_LINES = 10_000


class EventStream:
    """The events of all apps, in order. A follower that connects later gets the events since a given id.

    Events are written beside the event loop, one write after the other; what comes meanwhile is written together.
    """

    def __init__(
        self, journal: Journal, notifiers: Iterable[Notifier] = (), known_secrets: Secrets | None = None
    ) -> None:
        self._journal = journal
        self._border = known_secrets or Secrets()
        self._notifiers = list(notifiers)
        self._waiting: list[NewEvent] = []
        """What is not written yet, in its order."""
        self._flush: asyncio.TimerHandle | None = None
        self._turn = asyncio.Lock()
        self._news = asyncio.Condition()
        self._writes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    async def publish(
        self,
        happened: Occurrence,
        app: str = "",
        deployment: str = "",
        *,
        with_record: Callable[[], None] | None = None,
    ) -> None:
        """Record an event, after all lines of output that came before it, then notify. Raises JournalError.

        `with_record` writes to the journal what the event tells, in the same transaction: a kill leaves both or
        neither. Control characters and secrets are taken out before anybody sees it. This is done to its end, also when
        the calling task is cancelled.
        """
        happened = replace(happened, **self._border.values(happened.as_json()))
        event = NewEvent(happened.kind, app, deployment, happened.as_json())
        if with_record is None:
            self._waiting.append(event)
        await to_its_end(self._record(event, happened, with_record))

    def add(self, notifier: Notifier) -> None:
        """Add a notifier. It receives events from now on."""
        self._notifiers.append(notifier)

    def say(self, deployment: str, line: str) -> None:
        """Record one line of output. Lines are collected for GATHER_S seconds and recorded together."""
        self._waiting.append(NewEvent(EventKind.LINE, "", deployment, Line(self._border.text(line)).as_json()))
        self._flush_in(GATHER_S)

    async def follow(self, after: int, deployment: str = "") -> AsyncIterator[Event]:
        """Events with ids above `after`, without end; only those of `deployment` if given. Raises JournalError."""
        while True:
            seen = self._writes
            events = await self._journal.beside(self._journal.events, after, deployment, BATCH)
            for event in events:
                after = event.id
                yield event
            if not events:
                async with self._news:
                    await self._news.wait_for(partial(self._has_news, seen))

    async def stop(self) -> None:
        """Write the lines that are not written yet. Raises JournalError."""
        await self._write()

    def _has_news(self, seen: int) -> bool:
        return self._writes != seen

    async def _record(self, event: NewEvent, happened: Occurrence, with_record: Callable[[], None] | None) -> None:
        await self._write(event, with_record)
        for notifier in self._notifiers:
            notifier.notify(happened, event.app, event.deployment)

    async def _write(self, event: NewEvent | None = None, with_record: Callable[[], None] | None = None) -> None:
        """Write what waits, `event` included. Raises JournalError; then `event` is dropped, and the rest waits on.

        An event with a record has not waited: what another publishes at the same time does not fail for its record.

        Of lines, at most MOST_LINES wait for a journal that is away.
        """
        async with self._turn:
            if event is not None and with_record:
                self._waiting.append(event)
            elif event is not None and all(one is not event for one in self._waiting):
                return  # an earlier write took it along
            batch = self._take()
            if not batch:
                return
            try:
                await self._journal.beside(self._journal.append_events, batch, with_record)
            except (Exception, asyncio.CancelledError):
                rest = [one for one in batch if one is not event]
                self._waiting = _with_newest_lines([*rest, *self._waiting])
                if self._waiting:
                    self._flush_in(RETRY_S)
                raise
            self._writes += 1
        async with self._news:
            self._news.notify_all()

    def _take(self) -> list[NewEvent]:
        if self._flush:
            self._flush.cancel()
            self._flush = None
        batch, self._waiting = self._waiting, []
        return batch

    def _flush_in(self, seconds: float) -> None:
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(seconds, self._begin_to_flush)

    def _begin_to_flush(self) -> None:
        self._flush = None
        task = asyncio.get_running_loop().create_task(self._flush_lines())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _flush_lines(self) -> None:
        # If the journal is away, they are written later; the deployment that printed them reports the journal's error.
        with suppress(JournalError):
            await self._write()


def _with_newest_lines(waiting: list[NewEvent]) -> list[NewEvent]:
    """All events and the newest MOST_LINES lines: whoever published an event waits for it."""
    surplus = sum(one.kind is EventKind.LINE for one in waiting) - MOST_LINES
    kept = []
    for one in waiting:
        if surplus > 0 and one.kind is EventKind.LINE:
            surplus -= 1
        else:
            kept.append(one)
    return kept

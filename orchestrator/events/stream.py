"""The event stream: events are recorded in the journal, then passed to notifiers and followers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from border.secrets import Secrets
from orchestrator.domain.events import Event, EventKind, Line, NewEvent, Occurrence
from orchestrator.errors import JournalError
from orchestrator.events.notifier import Notifier
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.journal.store import Journal

Told = tuple[Occurrence, str]
"""What happened, and the deployment that it belongs to; empty for none."""

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
        also: Iterable[Told] = (),
        with_record: Callable[[], None] | None = None,
    ) -> None:
        """Record an event, after all lines of output that came before it, then notify. Raises JournalError.

        `also` are more events of the same app, and `with_record` writes to the journal what they tell: all of it is one
        transaction, of which a kill leaves everything or nothing. Control characters and secrets are taken out before
        anybody sees it. This is done to its end, also when the calling task is cancelled.
        """
        told = [(replace(one, **self._border.values(one.as_json())), of) for one, of in ((happened, deployment), *also)]
        events = [NewEvent(one.kind, app, of, one.as_json()) for one, of in told]
        if with_record is None:
            self._waiting += events
        await to_its_end(self._record(events, told, app, with_record))

    def add(self, notifier: Notifier) -> None:
        """Add a notifier. It receives events from now on."""
        self._notifiers.append(notifier)

    def say(self, deployment: str, line: str) -> None:
        """Record one line of output. Lines are collected for GATHER_S seconds and recorded together."""
        self._waiting.append(NewEvent(EventKind.LINE, "", deployment, Line(self._border.text(line)).as_json()))
        self._flush_in(GATHER_S)

    def mention(self, happened: Occurrence, app: str, deployment: str) -> None:
        """Record an event as `say` does a line: nobody waits for the journal, and no notifier gets it."""
        seen = replace(happened, **self._border.values(happened.as_json()))
        self._waiting.append(NewEvent(seen.kind, app, deployment, seen.as_json()))
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

    async def _record(
        self, events: list[NewEvent], told: list[Told], app: str, with_record: Callable[[], None] | None
    ) -> None:
        await self._write(events, with_record)
        for happened, deployment in told:
            for notifier in self._notifiers:
                notifier.notify(happened, app, deployment)

    async def _write(self, events: Sequence[NewEvent] = (), with_record: Callable[[], None] | None = None) -> None:
        """Write what waits, `events` included. Raises JournalError; then `events` are dropped, and the rest waits on.

        Events with a record have not waited: what another publishes at the same time does not fail for their record.

        Of lines, at most MOST_LINES wait for a journal that is away.
        """
        async with self._turn:
            if with_record:
                self._waiting += events
            elif events and not _has(self._waiting, events[0]):
                return  # an earlier write took them along
            batch = self._take()
            if not batch:
                return
            try:
                await self._journal.beside(self._journal.append_events, batch, with_record)
            except (Exception, asyncio.CancelledError):
                rest = [one for one in batch if not _has(events, one)]
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


def _has(events: Iterable[NewEvent], event: NewEvent) -> bool:
    """Whether it is this one, and not another one like it."""
    return any(one is event for one in events)


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

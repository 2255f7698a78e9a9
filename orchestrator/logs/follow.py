"""Several logs as one, while they are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from orchestrator.domain.events import Event, EventKind
from orchestrator.domain.log_line import LogLine, LogRange, just_after, moment_text
from orchestrator.errors import UnknownContainer
from orchestrator.logs.merge import Logs, Said
from orchestrator.logs.origins import ALL, Origin, Origins, Place, chosen
from orchestrator.logs.search import Sieve, Wanted, matching

MOST_OF_NEXT = 10_000
"""So many lines that a container wrote before it is followed are shown."""
MOST_WAITING = 1000
"""So many lines wait for a slow reader; then Docker waits, which drops nothing."""
GATHER_S = 0.25
"""How long lines are gathered for a regular expression, which is matched in a process for all of them."""


@dataclass
class Following:
    """Follows the logs of an app that are chosen by `which`, until they end; with `all` until its reader leaves.

    On the event loop. `origins` gives the logs that the app has now, `follow_events` the events of a deployment as they
    come, and `news` is set when something has happened to the app. Whoever closes `lines` ends all of it.
    """

    app: str
    which: str
    wanted: Wanted
    logs: Logs
    origins: Callable[[], Awaitable[Origins]]
    follow_events: Callable[[int, str], AsyncIterator[Event]]
    news: asyncio.Event
    _since: str = ""
    _last_at: dict[str, str] = field(default_factory=dict)
    _pumps: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)
    _arrived: asyncio.Queue[Said] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))

    async def lines(self, span: LogRange) -> AsyncGenerator[list[Said | str], None]:
        """The last lines as `Logs.read` gives them, then those that are written, as many as there are at once; a text
        is a sentence about what is missing. Raises as `Logs.read`."""
        now = await self.origins()
        origins = chosen(self.app, now, self.which)
        # Before the lines are read: what is said twice is told apart by its id.
        events = await self.logs.journal.beside(self.logs.journal.last_event_id)
        found = await self.logs.read(origins, self.wanted, replace(span, tail=max(span.tail, 1)))
        self._since, self._last_at = span.since, found.last_at
        yield [*filter(None, (now.problem, *found.left_out)), *(found.said if span.tail else ())]
        try:
            self._begin(origins, events)
            async with aclosing(self._as_they_come()) as coming:
                async for batch in coming:
                    yield [*batch]
        finally:
            for pump in self._pumps.values():
                pump.cancel()
            await asyncio.gather(*self._pumps.values(), return_exceptions=True)

    async def _as_they_come(self) -> AsyncGenerator[list[Said], None]:
        while self._pumps or self.which == ALL:
            upcoming = asyncio.ensure_future(self._arrived.get())
            told = asyncio.ensure_future(self.news.wait())
            try:
                await asyncio.wait([upcoming, told, *self._pumps.values()], return_when=asyncio.FIRST_COMPLETED)
                if upcoming.done():
                    yield await self._batch(upcoming.result())
                    continue  # what is written comes first: a log that has ended may have its last lines here
            finally:
                upcoming.cancel()
                told.cancel()
                await asyncio.wait([upcoming, told])
            has_ended = any(pump.done() for pump in self._pumps.values())
            if self._arrived.empty() and (self.news.is_set() or has_ended):
                await self._look_again()

    async def _batch(self, first: Said) -> list[Said]:
        if self.wanted.is_regex:
            await asyncio.sleep(GATHER_S)
        batch = [first]
        while not self._arrived.empty():
            batch.append(self._arrived.get_nowait())
        batch.sort(key=lambda said: said.line.at)
        if not self.wanted.is_regex:
            return batch
        async with self.logs.turn():
            kept = {id(line) for line in await matching(self.wanted, [said.line for said in batch])}
        return [said for said in batch if id(said.line) in kept]

    async def _look_again(self) -> None:
        """End what has ended, and begin to follow what is new. Raises what a log that ended has raised."""
        is_news = self.news.is_set()
        self.news.clear()
        for name, pump in list(self._pumps.items()):
            if pump.done():
                del self._pumps[name]
                if not pump.cancelled():
                    pump.result()
        try:
            origins = chosen(self.app, await self.origins(), self.which)
        except UnknownContainer:
            return  # it is removed now; what it has printed was shown
        if is_news and self.which == ALL:
            self._seen &= self._pumps.keys()  # one that has ended may run again
        wanted = {one.name for one in origins}
        for name in self._pumps.keys() - wanted:
            self._pumps[name].cancel()
        self._begin(origins, None)

    def _begin(self, origins: Sequence[Origin], after: int | None) -> None:
        """`after`: the id of the last event that was read already; None: of what is new, everything is shown."""
        for one in origins:
            if one.name in self._seen or one.file or not one.running:
                continue
            self._seen.add(one.name)
            pump = self._steps(one, after) if one.place is Place.STEPS else self._container(one)
            self._pumps[one.name] = asyncio.create_task(pump)

    async def _container(self, origin: Origin) -> None:
        last = self._last_at.get(origin.name, "")
        span = LogRange(MOST_OF_NEXT, just_after(last) if last else self._since)
        sieve = Sieve(self.wanted)
        async with aclosing(self.logs.engine.follow_logs(origin.name, span)) as lines:
            async for line in lines:
                self._last_at[origin.name] = line.at or last
                await self._take(origin, sieve, line)

    async def _steps(self, origin: Origin, after: int | None) -> None:
        sieve = Sieve(self.wanted)
        async for event in self.follow_events(after or 0, origin.deployment):
            if event.kind is EventKind.LINE:
                line = LogLine(moment_text(event.at), str(event.fields.get("line", "")))
                await self._take(origin, sieve, line)
            elif event.kind in (EventKind.ENDED, EventKind.FAILED, EventKind.CANCELLED):
                return

    async def _take(self, origin: Origin, sieve: Sieve, line: LogLine) -> None:
        if found := sieve(line):
            await self._arrived.put(Said(origin, found))

"""A proxy's counters and the log of its requests, as a test wants them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy.request_log import Answered
from orchestrator.proxy.statistics import Reading, Totals


class FakeStatistics:
    """Implements Statistics. `workers`: by number, then by app's colour, what each has counted."""

    def __init__(self) -> None:
        self.current = 1
        self.workers: dict[int, dict[tuple[str, Colour], Totals]] = {1: {}}
        self.is_away = False
        self._seen = frozenset[int]()

    def count(self, app: str, colour: Colour, more: Totals, worker: int | None = None) -> None:
        """Of counters, so many more; what there is now, as it is."""
        counted = self.workers.setdefault(worker or self.current, {})
        known = counted.get((app, colour), Totals())
        sums = (one + other for one, other in zip(known, more, strict=True))
        counted[app, colour] = Totals(*sums)._replace(connections=more.connections, queue=more.queue)

    def reload(self) -> None:
        self.current += 1
        self.workers[self.current] = {}

    def restart(self) -> None:
        self.reload()
        self.workers = {self.current: {}}

    async def read(self) -> Reading:
        if self.is_away:
            raise ProxyError("The proxy does not answer.", "Start it.")
        workers = {
            number: {f"{app}_{colour}": totals for (app, colour), totals in counted.items()}
            for number, counted in self.workers.items()
        }
        owners = {f"{app}_{colour}": (app, colour) for counted in self.workers.values() for app, colour in counted}
        new, self._seen = frozenset(workers) - (self._seen or frozenset(workers)), frozenset(workers)
        return Reading(workers, new, owners)

    def close(self) -> None:
        self._seen = frozenset()


class FakeRequestLog:
    """Implements RequestLog. Nobody asks anything."""

    async def follow(self) -> AsyncGenerator[list[Answered], None]:
        await asyncio.Event().wait()
        yield []


class FakeCounting:
    """A proxy that is only sampled."""

    def __init__(self, statistics: FakeStatistics) -> None:
        self.statistics, self.request_log = statistics, FakeRequestLog()

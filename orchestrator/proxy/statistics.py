"""The counters of HAProxy's backends, as each of its workers has counted since its own start (`show stat`).

The rows of backends alone are asked for, of all apps in one question. A worker counts a request when it has ended, with
its status (HAProxy 3.0 management guide, section 9.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple, Protocol

from orchestrator.clock import elapsed
from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy import backends
from orchestrator.proxy.held_worker import Hold, hold
from orchestrator.proxy.runtime import CommandSocket, old_workers, process_id

FRONTENDS, BACKENDS = "show stat -1 1 -1", "show stat -1 2 -1"
WITHIN_S = 2.0
"""The time limit of one answer, in seconds: a later one is a gap."""
OLD_OFTEN_FOR_S, OLD_SELDOM_S = 10.0, 10.0
"""A worker from before a reload is asked each time for so long, in seconds; later, what it has left are WebSockets and
streams, and it is asked again after so many seconds."""


class Totals(NamedTuple):
    """What a backend has counted, and in the last two what it has now: sessions, and requests that wait for a place.

    `ok` has the statuses 1xx, too: a WebSocket ends with 101. `failed`: connections and answers that failed.
    """

    requests: int = 0
    ok: int = 0
    redirects: int = 0
    client_errors: int = 0
    server_errors: int = 0
    failed: int = 0
    retries: int = 0
    connections: int = 0
    queue: int = 0


@dataclass(frozen=True)
class Reading:
    """What all workers have counted, by worker, then by backend. A worker has a number that no other one had before it.

    `new`: the workers that have begun since the last reading, and so count from zero. `unchanged`: in these nothing has
    happened since, and nothing is under way. `owners`: of which app's colour a backend is.
    """

    workers: Mapping[int, Mapping[str, Totals]]
    new: frozenset[int]
    owners: Mapping[str, tuple[str, Colour]]
    unchanged: frozenset[int] = frozenset()


class Statistics(Protocol):
    """The proxy's counters."""

    async def read(self) -> Reading:
        """Raises ProxyError."""
        ...

    def close(self) -> None:
        """Nobody reads any more, until the next `read`."""
        ...


@dataclass(eq=False)
class _Worker:
    """`hold` keeps it from ending before its last requests are counted; None for one that was old when it was found."""

    number: int
    pid: int
    hold: Hold | None
    totals: dict[str, Totals] = field(default_factory=dict)
    old_since: float = 0.0
    due: float = 0.0
    is_read: bool = False
    """Since it is an old one."""

    @property
    def is_busy(self) -> bool:
        return any(one.connections or one.queue for one in self.totals.values())


class WorkerStatistics:
    """Reads by connections of its own, so that nobody who switches waits for it: an old worker may answer late.

    While no request came since the last reading, and none was under way, nothing can have changed: then a question
    about the frontends alone is asked. Used by one task.
    """

    def __init__(self, folder: Path, numbers: Callable[[], Mapping[str, int]]) -> None:
        """`numbers` gives app -> the number of its backends."""
        self._socket = folder / "admin.sock"
        self._worker, self._master = CommandSocket(self._socket), CommandSocket(folder / "master.sock")
        self._numbers = numbers
        self._begun = 0
        self._current: _Worker | None = None
        self._old: list[_Worker] = []
        self._owned_by: Mapping[str, int] | None = None
        self._owns: dict[str, tuple[str, Colour]] = {}
        self._seen = ""
        """The frontends' requests at the last reading, if none was under way then."""

    async def read(self) -> Reading:
        answer = await self._worker.ask(f"show info;{FRONTENDS}", WITHIN_S)
        pid, requests = process_id(answer), _requests_of_frontends(answer)
        known = self._current
        if known is None or known.pid != pid or known.hold is None or known.hold.is_over:
            await self._take_over(pid)
        current = self._current
        assert current is not None
        if is_changed := requests != self._seen:
            current.totals = totals(await self._worker.ask(BACKENDS, WITHIN_S))
            self._seen = "" if current.is_busy else requests
        await self._read_old()
        unchanged = frozenset() if is_changed else frozenset({current.number})
        workers = {worker.number: worker.totals for worker in (current, *self._old)}
        new = frozenset({current.number} if known and current is not known else ())
        reading = Reading(workers, new, self._owners(), unchanged)
        self._let_go()
        return reading

    def close(self) -> None:
        for worker in (*self._old, *([self._current] if self._current else [])):
            if worker.hold:
                worker.hold.end()
        self._current, self._old, self._seen = None, [], ""

    def _owners(self) -> Mapping[str, tuple[str, Colour]]:
        """The proxy makes other numbers when its apps change."""
        numbers = self._numbers()
        if numbers is not self._owned_by:
            named = (
                (backends.backend(number, colour), app, colour) for app, number in numbers.items() for colour in Colour
            )
            self._owned_by, self._owns = numbers, {name: (app, colour) for name, app, colour in named}
        return self._owns

    async def _take_over(self, pid: int) -> None:
        """Another worker takes the connections. That of before is an old one now, or has ended."""
        held = await hold(self._socket)
        before = self._current
        if before is None:
            there = old_workers(await self._master.ask("show proc", WITHIN_S))
            self._old = [self._begin(one, None) for one in there]
        elif before.hold and not before.hold.is_over:
            before.old_since = elapsed()
            self._old.append(before)
        self._current, self._seen = self._begin(pid, held), ""

    def _begin(self, pid: int, held: Hold | None) -> _Worker:
        self._begun += 1
        return _Worker(self._begun, pid, held, old_since=elapsed())

    async def _read_old(self) -> None:
        """One that does not answer is read again later."""
        due = [worker for worker in self._old if worker.due <= elapsed()]
        if not due:
            return
        try:
            there = old_workers(await self._master.ask("show proc", WITHIN_S))
        except ProxyError:
            return
        self._old = [worker for worker in self._old if worker.pid in there]
        for worker in (one for one in due if one in self._old):
            seldom = elapsed() - worker.old_since > OLD_OFTEN_FOR_S
            worker.due = elapsed() + OLD_SELDOM_S if seldom else 0.0
            try:
                worker.totals = totals(await self._master.ask(f"@!{worker.pid} {BACKENDS}", WITHIN_S))
                worker.is_read = True
            except ProxyError:
                worker.due = elapsed() + OLD_SELDOM_S

    def _let_go(self) -> None:
        """Old workers that have nothing in hand any more, and whose last requests are counted, may end."""
        for worker in [one for one in self._old if one.is_read and not one.is_busy]:
            if worker.hold:
                worker.hold.end()
            self._old.remove(worker)


def totals(listing: str) -> dict[str, Totals]:
    """By backend, of the colours of apps, in an answer of `show stat`. Raises ProxyError for any other answer."""
    heading, *rows = listing.lstrip().splitlines() or [""]
    if not heading.startswith("# pxname,"):
        raise ProxyError(f"The proxy does not show its counters: {heading[:200] or 'an empty answer'}.")
    place = {name: number for number, name in enumerate(heading.removeprefix("# ").split(","))}
    found = {}
    for row in rows:
        name, _, _ = row.partition(",")
        if backends.colour_of(name) is None:
            continue
        cells = row.split(",")

        def cell(column: str, cells: list[str] = cells) -> int:
            return int(cells[place[column]] or 0)

        found[name] = Totals(
            requests=cell("req_tot"),
            ok=cell("hrsp_1xx") + cell("hrsp_2xx"),
            redirects=cell("hrsp_3xx"),
            client_errors=cell("hrsp_4xx"),
            server_errors=cell("hrsp_5xx"),
            failed=cell("econ") + cell("eresp"),
            retries=cell("wretr"),
            connections=cell("scur"),
            queue=cell("qcur"),
        )
    return found


def _requests_of_frontends(answer: str) -> str:
    """The numbers of requests that have begun, as one text; empty if it has none."""
    _, heading, rows = answer.partition("# pxname,")
    if not heading:
        return ""
    names, *lines = rows.splitlines()
    place = names.split(",").index("req_tot") + 1
    return " ".join(line.split(",")[place] for line in lines if line)

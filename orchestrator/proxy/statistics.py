"""The counters of HAProxy's backends, as each of its workers has counted since its own start (`show stat`).

The rows of backends alone are asked for, of all apps in one question. A worker counts a request when it has ended, with
its status (HAProxy 3.0 management guide, section 9.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from orchestrator.clock import elapsed
from orchestrator.domain.colour import Colour
from orchestrator.errors import ProxyError
from orchestrator.proxy import backends
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
    """What all workers have counted, by the process id of each, then by backend.

    `current`: the id of the worker that takes new connections. `owners`: of which app's colour a backend is.
    """

    current: int
    workers: Mapping[int, Mapping[str, Totals]]
    owners: Mapping[str, tuple[str, Colour]]


class Statistics(Protocol):
    """The proxy's counters."""

    async def read(self) -> Reading:
        """Raises ProxyError."""
        ...


class WorkerStatistics:
    """Reads by connections of its own, so that nobody who switches waits for it: an old worker may answer late.

    While no request came since the last reading, and none was under way, nothing can have changed: then a question
    about the frontends alone is asked. Used by one task.
    """

    def __init__(self, folder: Path, numbers: Callable[[], Mapping[str, int]]) -> None:
        """`numbers` gives app -> the number of its backends."""
        self._worker = CommandSocket(folder / "admin.sock")
        self._master = CommandSocket(folder / "master.sock")
        self._numbers = numbers
        self._current = 0
        self._seen = ""
        """The frontends' requests at the last reading, if none was under way then."""
        self._totals: dict[str, Totals] = {}
        self._old: dict[int, _OldWorker] = {}

    async def read(self) -> Reading:
        answer = await self._worker.ask(f"show info;{FRONTENDS}", WITHIN_S)
        pid, requests = process_id(answer), _requests_of_frontends(answer)
        if pid != self._current:
            self._old = {one: _OldWorker(elapsed()) for one in await self._old_workers()}
            self._current, self._seen = pid, ""
        if requests != self._seen:
            self._totals = totals(await self._worker.ask(BACKENDS, WITHIN_S))
            is_quiet = not any(one.connections or one.queue for one in self._totals.values())
            self._seen = requests if is_quiet else ""
        await self._read_old()
        old = {one: worker.totals for one, worker in self._old.items()}
        return Reading(pid, {pid: self._totals, **old}, self._owners())

    def _owners(self) -> dict[str, tuple[str, Colour]]:
        return {
            backends.backend(number, colour): (app, colour)
            for app, number in self._numbers().items()
            for colour in Colour
        }

    async def _old_workers(self) -> list[int]:
        return old_workers(await self._master.ask("show proc", WITHIN_S))

    async def _read_old(self) -> None:
        """One that does not answer is left out until it does, or has ended."""
        due = [pid for pid, worker in self._old.items() if worker.due <= elapsed()]
        if not due:
            return
        try:
            there = await self._old_workers()
        except ProxyError:
            return
        self._old = {pid: worker for pid, worker in self._old.items() if pid in there}
        for pid in due:
            if (worker := self._old.get(pid)) is None:
                continue
            seldom = elapsed() - worker.since > OLD_OFTEN_FOR_S
            worker.due = elapsed() + OLD_SELDOM_S if seldom else 0.0
            try:
                worker.totals = totals(await self._master.ask(f"@!{pid} {BACKENDS}", WITHIN_S))
            except ProxyError:
                worker.due = elapsed() + OLD_SELDOM_S


class _OldWorker:
    def __init__(self, since: float) -> None:
        self.since, self.due = since, 0.0
        self.totals: dict[str, Totals] = {}


def totals(listing: str) -> dict[str, Totals]:
    """By backend, of the colours of apps, in an answer of `show stat`. Raises ProxyError for any other answer."""
    heading, *rows = listing.lstrip().splitlines() or [""]
    if not heading.startswith("# pxname,"):
        raise ProxyError(f"The proxy does not show its counters: {heading[:200] or 'an empty answer'}.")
    names = heading.removeprefix("# ").split(",")
    place = {name: number for number, name in enumerate(names)}
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

"""What happened between two readings of the proxy's counters, without the orchestrator's own requests."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.domain.colour import Colour
from orchestrator.proxy.request_log import Answered
from orchestrator.proxy.statistics import Reading, Totals

Of = tuple[str, Colour]
"""An app and its colour."""
COUNTERS = 7
"""The first fields of Totals are counters; the others are what there is now."""


class Differences:
    """Subtracts, for each worker, what it had counted before. One that has just begun counts from zero.

    The orchestrator's own requests are known by their lines (`own`), which come with the counters or a moment later or
    earlier: what is not in the counters yet is taken off the next time. So an app without clients has none.
    """

    def __init__(self) -> None:
        self._known: dict[int, Mapping[str, Totals]] = {}
        self._own: dict[Of, list[int]] = {}

    def own(self, request: Answered) -> None:
        """The orchestrator had this answer from an app."""
        counted = self._own.setdefault((request.app, request.colour), [0] * COUNTERS)
        for place, count in enumerate(_of_one(request)):
            counted[place] += count

    def take(self, reading: Reading) -> dict[Of, Totals] | None:
        """What each app's colour was asked since the last reading; those that are not in it were asked nothing.

        None for the first reading: there is none before it.
        """
        is_first = not self._known
        sums: dict[Of, list[int]] = {}
        for worker, counted in reading.workers.items():
            if worker in reading.unchanged and worker in self._known:
                continue
            before = {} if worker in reading.new else self._known.get(worker, counted)
            for name, totals in counted.items():
                if (owner := reading.owners.get(name)) is not None:
                    _add(sums.setdefault(owner, [0] * len(Totals())), totals, before.get(name, Totals()))
        self._known = dict(reading.workers)
        if is_first:
            self._own.clear()
            return None
        return {of: self._without_own(of, counted) for of, counted in sums.items()}

    def _without_own(self, of: Of, counted: list[int]) -> Totals:
        if (own := self._own.get(of)) is not None:
            for place in range(COUNTERS):
                taken = min(own[place], counted[place])
                counted[place] -= taken
                own[place] -= taken
        return Totals(*counted)


def _add(sums: list[int], totals: Totals, before: Totals) -> None:
    for place, count in enumerate(totals):
        sums[place] += count if place >= COUNTERS else max(0, count - before[place])


def _of_one(request: Answered) -> tuple[int, ...]:
    kind = request.status // 100
    return 1, int(kind in (1, 2)), int(kind == 3), int(kind == 4), int(kind == 5), int(request.failed), request.retries

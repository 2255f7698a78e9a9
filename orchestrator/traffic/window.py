"""The last minute of each app that was asked in it: from it are the numbers of a list of apps."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from orchestrator.domain.traffic import Point, known
from orchestrator.traffic import latency
from orchestrator.traffic.sums import Sums

SECONDS = 60


class LastMinute:
    """Sums that are kept current by adding the newest second and taking away the one that is past."""

    def __init__(self) -> None:
        self._sums: dict[str, Sums] = {}
        self._seconds: deque[tuple[int, Mapping[str, Sums]]] = deque()

    def put(self, slot: int, sums: Mapping[str, Sums]) -> None:
        self._seconds.append((slot, sums))
        for app, one in sums.items():
            self._sums.setdefault(app, Sums()).add(one)
        while self._seconds and self._seconds[0][0] <= slot - SECONDS:
            for app, one in self._seconds.popleft()[1].items():
                left = self._sums[app]
                left.take_away(one)
                if left.is_quiet:
                    del self._sums[app]

    def errors(self, app: str) -> float | None:
        """The share of requests that failed; None without requests."""
        found = self._sums.get(app)
        return found.errors if found else None

    def p99(self, app: str) -> float | None:
        """In milliseconds; None if it is not known of any request how long it took."""
        found = self._sums.get(app)
        return known(latency.percentiles(found.buckets, (0.99,))[0]) if found else None

    def point(self, app: str) -> Point:
        """Per second, over the whole minute."""
        return self._sums.get(app, Sums()).point(SECONDS)

    def apps(self) -> list[str]:
        return list(self._sums)

"""The points of all apps for the newest times, in memory of a fixed size."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Mapping

from orchestrator.traffic.point import QUIET, Point

WIDTH = len(Point._fields)
_QUIET = array("f", QUIET)
NEVER = -1


class KeptPoints:
    """For each app, the points of the last `length` slots. A slot is `step` seconds; slots are counted from any zero.

    An app that nobody asks takes no memory. A slot for which nothing was put is a gap, and so are those before the app
    was known.
    """

    def __init__(self, step: int, length: int) -> None:
        self.step, self.length = step, length
        self.newest = NEVER
        self._slots = array("q", [NEVER]) * length
        self._since: dict[str, int] = {}
        self._points: dict[str, array[float]] = {}

    def put(self, slot: int, points: Mapping[str, Point], apps: Collection[str]) -> None:
        """The points of those of `apps` that had any requests; the others had none. Others are forgotten."""
        for app in self._since.keys() - set(apps):
            del self._since[app]
            self._points.pop(app, None)
        for app in apps:
            self._since.setdefault(app, slot)
        place = slot % self.length
        for app in points.keys() - self._points.keys():
            if app in self._since:
                self._points[app] = _QUIET * self.length
        for app, kept in self._points.items():
            point = points.get(app)
            kept[place * WIDTH : (place + 1) * WIDTH] = array("f", point) if point else _QUIET
        self._slots[place] = slot
        self.newest = slot

    def last(self, app: str, count: int) -> list[Point | None]:
        """Those of the last `count` slots, the oldest first; None for a gap. Empty if there are none at all."""
        return [self._point(app, slot) for slot in self.last_slots(count)]

    def last_slots(self, count: int) -> range:
        """The last `count` slots; none before the first sample."""
        return range(max(0, self.newest - min(count, self.length) + 1), self.newest + 1)

    def requests(self, app: str, count: int) -> list[float | None]:
        """As `last`, the requests per second alone."""
        slots = self.last_slots(count)
        since, kept = self._since.get(app), self._points.get(app)
        if since is None:
            return [None for _ in slots]
        places = ((slot, slot % self.length) for slot in slots)
        return [
            None if slot < since or self._slots[place] != slot else kept[place * WIDTH] if kept else 0.0
            for slot, place in places
        ]

    def _point(self, app: str, slot: int) -> Point | None:
        since = self._since.get(app)
        if since is None or slot < since or self._slots[slot % self.length] != slot:
            return None
        kept = self._points.get(app)
        return Point(*kept[slot % self.length * WIDTH :][:WIDTH]) if kept else QUIET


def known(value: float) -> float | None:
    """None for NaN."""
    return None if math.isnan(value) else value

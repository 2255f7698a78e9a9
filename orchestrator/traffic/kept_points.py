"""Points of the newest times, in memory of a fixed size."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
P = TypeVar("P", bound=tuple[float, ...])
NEVER = -1


class KeptPoints(Generic[K, P]):
    """For each key, such as an app, the points of the last `length` slots. A slot is `step` seconds; slots are counted
    from any zero.

    A key whose points were all `quiet` takes no memory. A slot for which nothing was put is a gap, and so are those
    before the key was known.
    """

    def __init__(self, step: int, length: int, quiet: P, make: Callable[[Iterable[float]], P]) -> None:
        """`make` makes a point of its values."""
        self.step, self.length, self.quiet = step, length, quiet
        self.newest = NEVER
        self._make, self._width, self._quiet = make, len(quiet), array("f", quiet)
        self._slots = array("q", [NEVER]) * length
        self._since: dict[K, int] = {}
        self._points: dict[K, array[float]] = {}

    def put(self, slot: int, points: Mapping[K, P], keys: Collection[K]) -> None:
        """The points of some of `keys`; those of the others are quiet. Other keys are forgotten."""
        for key in self._since.keys() - set(keys):
            del self._since[key]
            self._points.pop(key, None)
        for key in keys:
            self._since.setdefault(key, slot)
        place, width = slot % self.length, self._width
        for key in points.keys() - self._points.keys():
            if key in self._since:
                self._points[key] = self._quiet * self.length
        for key, kept in self._points.items():
            point = points.get(key)
            kept[place * width : (place + 1) * width] = self._quiet if point is None else array("f", point)
        self._slots[place] = slot
        self.newest = slot

    def known(self) -> list[K]:
        return list(self._since)

    def last_slots(self, count: int) -> range:
        """The last `count` slots; none before the first one was put."""
        return range(max(0, self.newest - min(count, self.length) + 1), self.newest + 1)

    def last(self, key: K, count: int) -> list[P | None]:
        """Those of the last `count` slots, the oldest first; None for a gap."""
        return [self.at(key, slot) for slot in self.last_slots(count)]

    def at(self, key: K, slot: int) -> P | None:
        place = slot % self.length
        since = self._since.get(key)
        if since is None or slot < since or self._slots[place] != slot:
            return None
        kept, width = self._points.get(key), self._width
        return self._make(kept[place * width : (place + 1) * width]) if kept else self.quiet

    def first_values(self, key: K, count: int) -> list[float | None]:
        """As `last`, the first value of each point alone."""
        slots = self.last_slots(count)
        since, kept, width = self._since.get(key), self._points.get(key), self._width
        if since is None:
            return [None for _ in slots]
        places = ((slot, slot % self.length) for slot in slots)
        return [
            None if slot < since or self._slots[place] != slot else kept[place * width] if kept else self.quiet[0]
            for slot, place in places
        ]

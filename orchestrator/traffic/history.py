"""The points of the last 10 minutes by the second, and of the last 6 hours by ten seconds."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from orchestrator.clock import now
from orchestrator.traffic.kept_points import KeptPoints
from orchestrator.traffic.point import Point, Sums
from orchestrator.traffic.window import LastMinute

BY_SECOND = (1, 600)
BY_TEN = (10, 2160)
"""Seconds of a step, and how many are kept."""
MINUTE = 60


@dataclass(frozen=True)
class Columns:
    """Points that are `step` seconds apart, the oldest first, and when each of these steps ended. None: a gap."""

    step: int
    at: list[datetime]
    points: list[Point | None]


class Tally:
    """Adds up the seconds of a longer step. `seconds`: of how many it is known what there was."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.slot = -1
        self.seconds = 0
        self.sums: dict[str, Sums] = {}

    def put(self, second: int, sums: Mapping[str, Sums]) -> Tally | None:
        """The step that is complete, when a second of the next one comes."""
        slot, complete = second // self.step, None
        if slot != self.slot:
            if self.seconds:
                complete = Tally(self.step)
                complete.slot, complete.seconds, complete.sums = self.slot, self.seconds, self.sums
            self.slot, self.seconds, self.sums = slot, 0, {}
        self.seconds += 1
        for app, one in sums.items():
            self.sums.setdefault(app, Sums()).add(one)
        return complete

    def points(self) -> dict[str, Point]:
        return {app: one.point(self.seconds) for app, one in self.sums.items()}


class History:
    """Used on the event loop only. Seconds are counted by a monotonic clock, from any zero.

    So the points keep their distances when the time of day is set: when each of them was is said by the time of day of
    now.
    """

    def __init__(self) -> None:
        self.seconds, self.tens = KeptPoints(*BY_SECOND), KeptPoints(*BY_TEN)
        self.last_minute = LastMinute()
        self._ten, self._minute = Tally(self.tens.step), Tally(MINUTE)
        self._newest_at: datetime | None = None
        """The time of day when the newest second was put."""

    def put(self, second: int, sums: Mapping[str, Sums], apps: Collection[str]) -> Tally | None:
        """What each app was asked in this second. Returns the minute that is complete, if there is one."""
        self._newest_at = now()
        self.seconds.put(second, {app: one.point(1) for app, one in sums.items()}, apps)
        self.last_minute.put(second, sums)
        if ten := self._ten.put(second, sums):
            self.tens.put(ten.slot, ten.points(), apps)
        return self._minute.put(second, sums)

    @property
    def newest_at(self) -> datetime | None:
        """When the newest sample was taken; None without any."""
        return self._newest_at

    def points(self, app: str, since: datetime) -> Columns:
        """The points of an app from a moment on: by the second if they are all kept, or else by ten."""
        newest_at = self._newest_at or now()
        age_s = (newest_at - since).total_seconds()
        kept = self.seconds if age_s <= BY_SECOND[0] * BY_SECOND[1] else self.tens
        count = min(kept.length, max(0, math.ceil(age_s / kept.step)))
        points = kept.last(app, count)
        ended_s = (self.seconds.newest - ((slot + 1) * kept.step - 1) for slot in kept.last_slots(count))
        return Columns(kept.step, [newest_at - timedelta(seconds=one) for one in ended_s], points)

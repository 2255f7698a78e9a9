"""The points of the last 10 minutes by the second, and of the last 6 hours by ten seconds."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta

from orchestrator.clock import now
from orchestrator.domain.traffic import AppMinute, Container, Minute, Point, Use
from orchestrator.traffic.columns import Columns
from orchestrator.traffic.kept_points import KeptPoints
from orchestrator.traffic.sums import Sums
from orchestrator.traffic.window import LastMinute

BY_SECOND = (1, 600)
BY_TEN = (10, 2160)
"""Seconds of a step, and how many are kept."""
MINUTE = 60


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
    the newest one.
    """

    def __init__(self, uses: Callable[[], Mapping[Container, Use]]) -> None:
        """`uses` gives what each container uses now."""
        self.seconds = KeptPoints[str, Point](*BY_SECOND, Point(), Point._make)
        self.tens = KeptPoints[str, Point](*BY_TEN, Point(), Point._make)
        self.containers = KeptPoints[Container, Use](*BY_TEN, Use(), Use._make)
        self.last_minute = LastMinute()
        self._uses = uses
        self._ten, self._minute = Tally(BY_TEN[0]), Tally(MINUTE)
        self.newest_at: datetime | None = None
        """The time of day when the newest second was put; None without any."""

    def put(self, second: int, sums: Mapping[str, Sums], apps: Collection[str]) -> Minute | None:
        """What each app was asked in this second. Returns the minute that is complete, if there is one."""
        self.newest_at = now()
        self.seconds.put(second, {app: one.point(1) for app, one in sums.items()}, apps)
        self.last_minute.put(second, sums)
        if ten := self._ten.put(second, sums):
            self.tens.put(ten.slot, ten.points(), apps)
            uses = self._uses()
            self.containers.put(ten.slot, uses, uses.keys())
        minute = self._minute.put(second, sums)
        return self._minute_of(minute, second, apps) if minute else None

    def _minute_of(self, minute: Tally, second: int, apps: Collection[str]) -> Minute:
        points, used = minute.points(), defaultdict[str, dict[Container, Use]](dict)
        for container, use in self._uses().items():
            used[container.app][container] = use
        of_apps = (AppMinute(app, points.get(app, Point()), used.get(app, {})) for app in apps)
        ended_s = second - (minute.slot + 1) * MINUTE
        return Minute(now() - timedelta(seconds=ended_s), tuple(of_apps))

    def points(self, app: str, since: datetime) -> Columns:
        """The points of an app from a moment on: by the second if they are all kept, or else by ten."""
        newest_at = self.newest_at or now()
        age_s = (newest_at - since).total_seconds()
        kept = self.seconds if age_s <= math.prod(BY_SECOND) else self.tens
        slots = kept.last_slots(max(0, math.ceil(age_s / kept.step)))
        ended_s = (self.seconds.newest - ((slot + 1) * kept.step - 1) for slot in slots)
        tens = [slot * kept.step // BY_TEN[0] for slot in slots]
        containers = {
            one: [self.containers.at(one, min(slot, self.containers.newest)) for slot in tens]
            for one in self.containers.known()
            if one.app == app
        }
        at = [newest_at - timedelta(seconds=one) for one in ended_s]
        return Columns(kept.step, at, [kept.at(app, slot) for slot in slots], containers)

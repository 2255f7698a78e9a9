"""The hours in which updates install themselves, such as Monday to Thursday from 02:00 to 05:00 in Zurich."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
A_DAY = timedelta(days=1)
DAYS_AHEAD = 15
"""In so many days each window opens: one of a single day whose hour clocks leave out on that day opens in the week
after the next one."""


@dataclass(frozen=True)
class UpdateWindow:
    """From `begins` to `ends` by the clocks of a time zone, on days that begin with these names.

    A window that ends at or before the hour at which it begins goes on after midnight, and belongs to the day on which
    it began. An hour that clocks leave out, or have twice, is the one of the offset before the change (PEP 495). A
    window of nothing but an hour that they leave out does not open on that day.
    """

    days: tuple[str, ...]
    begins: time
    ends: time
    zone: ZoneInfo

    def is_open(self, moment: datetime) -> bool:
        """Whether updates install themselves at this moment, which has a time zone."""
        return any(begin <= moment < end for begin, end in self._around(moment))

    def next_opening(self, moment: datetime) -> datetime:
        """When it opens next after this moment, in its own time zone."""
        return next(begin for begin, _ in self._around(moment) if begin > moment).astimezone(self.zone)

    def _around(self, moment: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The beginnings and ends, in UTC, of yesterday's window and those that follow, in their order."""
        today = moment.astimezone(self.zone).date()
        for number in range(-1, DAYS_AHEAD + 1):
            day = today + number * A_DAY
            if DAYS[day.weekday()] in self.days:
                last = day if self.ends > self.begins else day + A_DAY
                begin, end = self._moment(day, self.begins), self._moment(last, self.ends)
                if begin < end:
                    yield begin, end

    def _moment(self, day: date, hour: time) -> datetime:
        # Computed in UTC: two moments of one zone are compared by their clocks, which change.
        return datetime.combine(day, hour, self.zone).astimezone(UTC)

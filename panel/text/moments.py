"""Moments as a person reads them: in which time zone, and how the hours of a day are counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

WEEK = timedelta(days=6)
NOON = 12


@dataclass(frozen=True)
class Times:
    """`zone` None: that of the process (`TZ`). `to_12`: 2:05 PM instead of 14:05."""

    zone: tzinfo | None = None
    to_12: bool = False

    def local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def to_second(self, moment: datetime) -> str:
        """The time of day: `14:05:07`."""
        return self._hours(self.local(moment), ":%M:%S")

    def to_minute(self, moment: datetime) -> str:
        """The time of day: `14:05`."""
        return self._hours(self.local(moment), ":%M")

    def dated(self, moment: datetime) -> str:
        """Day and time, as in a table: `2026-12-09 14:05:07`."""
        return f"{self.local(moment):%Y-%m-%d} {self.to_second(moment)}"

    def dated_to_minute(self, moment: datetime) -> str:
        return f"{self.local(moment):%Y-%m-%d} {self.to_minute(moment)}"

    def soon(self, moment: datetime, now: datetime) -> str:
        """A moment of these days: `14:00` today, `Sun 14:00` within a week, `2026-12-09 14:00` otherwise."""
        local, today = self.local(moment), self.local(now)
        if local.date() == today.date():
            return self.to_minute(moment)
        return f"{local:%a} {self.to_minute(moment)}" if abs(moment - now) < WEEK else self.dated_to_minute(moment)

    def _hours(self, local: datetime, rest: str) -> str:
        if not self.to_12:
            return f"{local:%H{rest}}"
        half = "AM" if local.hour < NOON else "PM"
        return f"{local.hour % NOON or NOON}{local:{rest}} {half}"


OWN, IN_UTC = Times(), Times(UTC)
"""As the `changeover` command writes them."""


def muted_until(until: datetime, now: datetime, times: Times = OWN) -> str:
    return f"muted until {times.soon(until, now)}"

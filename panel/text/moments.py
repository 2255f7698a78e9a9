"""Moments in the time zone of whoever looks: that of the process (`TZ`), which is the person's own."""

from __future__ import annotations

from datetime import datetime, timedelta

WEEK = timedelta(days=6)


def time_of_day(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M:%S}"


def dated(moment: datetime) -> str:
    """Day and time, as in a table."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def soon(moment: datetime, now: datetime) -> str:
    """A moment of these days: `14:00` today, `Sun 14:00` within a week, `2026-12-09 14:00` otherwise."""
    local, today = moment.astimezone(), now.astimezone()
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%a %H:%M}" if abs(moment - now) < WEEK else f"{local:%Y-%m-%d %H:%M}"


def muted_until(until: datetime, now: datetime) -> str:
    return f"muted until {soon(until, now)}"

"""Moments that a stranger writes."""

from __future__ import annotations

from datetime import UTC, datetime


def in_utc(moment: datetime) -> datetime | None:
    """In UTC, which it is in if it names no zone; None if no calendar has that day, as of the year 9999 in the west."""
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        return None

"""The time of day. Durations are measured with `time.monotonic`, never with this."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)

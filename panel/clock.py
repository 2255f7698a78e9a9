"""The time of day, as a parameter: screens that show ages can be drawn at a fixed time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]
"""Gives the current time in UTC."""


def utc_now() -> datetime:
    return datetime.now(UTC)

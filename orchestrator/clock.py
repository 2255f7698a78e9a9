"""The two clocks: the time of day, and the event loop's clock for durations and deadlines."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime


def elapsed() -> float:
    """Seconds on the running event loop's monotonic clock, which tests can advance."""
    return asyncio.get_running_loop().time()


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)

"""The two clocks: the time of day for moments, and the event loop's for durations and deadlines."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime


def elapsed() -> float:
    """Seconds on a clock that never goes back: the running event loop's, so that a loop of tests may move it on."""
    return asyncio.get_running_loop().time()


def now() -> datetime:
    """The current time, in UTC."""
    return datetime.now(UTC)

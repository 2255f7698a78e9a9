"""The clocks: the time of day, which can be set at any time, and monotonic ones for durations and deadlines.

The time of day is for people. Nothing is decided by it but what people have set by it: when a token expires and when a
session ends. What came before what is decided by numbers, how long something took by a monotonic clock.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

MOST_TIMED = 1000
"""So many deployments are timed at most: those that never end are the oldest ones."""


def _system_clock() -> datetime:
    return datetime.now(UTC)


_time_of_day: Callable[[], datetime] = _system_clock


def elapsed() -> float:
    """Seconds on the running event loop's monotonic clock, which tests can advance."""
    return asyncio.get_running_loop().time()


def now() -> datetime:
    """The current time, in UTC."""
    return _time_of_day()


class Timing:
    """The moments of what is under way. They are as far apart as they were, also when the time of day is set meanwhile.

    The first moment of each is the time of day. It may be used in several threads.
    """

    def __init__(self) -> None:
        self._first: dict[str, tuple[datetime, float]] = {}
        self._turn = threading.Lock()

    def moment(self, of: str) -> datetime:
        """The current moment of the deployment with this id; the time of day for none."""
        if not of:
            return now()
        with self._turn:
            if of not in self._first:
                moment = now()
                self._first[of] = moment, time.monotonic()
                if len(self._first) > MOST_TIMED:
                    del self._first[next(iter(self._first))]
                return moment
            first, began = self._first[of]
        return first + timedelta(seconds=time.monotonic() - began)

    def end(self, of: str) -> None:
        """It is under way no more: its next moment is the time of day again."""
        with self._turn:
            self._first.pop(of, None)


@contextmanager
def showing(time_of_day: Callable[[], datetime]) -> Iterator[None]:
    """Let `now` give what this function gives: for tests, in which the clock of the host jumps."""
    global _time_of_day
    before, _time_of_day = _time_of_day, time_of_day
    try:
        yield
    finally:
        _time_of_day = before

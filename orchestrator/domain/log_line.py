"""Lines of a container's log, and which part of a log is wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Level(StrEnum):
    """How serious a line is, from the least to the most."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {level: rank for rank, level in enumerate(Level)}


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. `at`: the engine's moment of it in UTC, in the form of RFC 3339 with nanoseconds, so that moments sort
    as texts; empty if it is not known. `is_error`: it was written to standard error."""

    at: str
    text: str
    is_error: bool = False
    level: Level | None = None


@dataclass(frozen=True)
class LogRange:
    """The last `tail` lines of those from `since` until `until`, both included, in the form of LogLine's `at`."""

    tail: int
    since: str = ""
    until: str = ""


@dataclass(frozen=True)
class LogPart:
    """Lines of one log, the oldest first. `last_at`: when the last line of it was written, of those that were looked
    at. `looked_at`: how many these are. `left_out` says in a sentence what is missing; empty: nothing."""

    lines: tuple[LogLine, ...] = ()
    last_at: str = ""
    looked_at: int = 0
    left_out: str = ""


Choose = Callable[[LogLine], LogLine | None]
"""The line as it is wanted, with its level perhaps, or None."""
KeepLog = Callable[[str, Mapping[str, str], LogPart], None]
"""Takes the end of the log of a container that is being removed: its name, its labels, and its last lines."""


def moment_text(moment: datetime) -> str:
    """A moment in UTC in the form of LogLine's `at`."""
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}000Z"


def moment_of(at: str) -> datetime:
    """The moment that such a text means, to the microsecond."""
    return datetime.fromisoformat(f"{at[:26]}+00:00")


def just_after(at: str) -> str:
    """One nanosecond later."""
    nanoseconds = int(at[20:29]) + 1
    if nanoseconds < 10**9:
        return f"{at[:20]}{nanoseconds:09d}Z"
    return moment_text(datetime.fromisoformat(f"{at[:19]}+00:00") + timedelta(seconds=1))

"""Moments as people write them: `yesterday`, `10:00`, `monday at 9`, `2 hours ago`, `the last 30 minutes`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

EXAMPLES = "10:00, yesterday, monday 9:00, 2 hours ago, 30m, 2026-03-14"
LARGEST = 10_000
"""Of a number of minutes, hours or days."""
_UNITS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86400,
          "day": 86400, "w": 604800, "week": 604800}  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LENGTH = re.compile(r"(?:(?:the )?(?:last|past) )?(\d+|an?|one)? ?([a-z]+?)s?(?: ago)?")
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))?(?:[:.](\d\d))?(?: ?(am|pm|o'clock|h))?")
_DATE = re.compile(r"(\d{4})-(\d\d?)-(\d\d?)")
_TIMES_OF_DAY = {"midnight": 0, "morning": 6, "noon": 12, "midday": 12, "afternoon": 12, "evening": 18, "night": 18}


def moment(text: str, now: datetime) -> datetime | None:
    """What the text means, seen from `now`, in whose zone a time of day is; None if it is no moment.

    A time of day without a day is the last one that has been. `the last hour` is its beginning.
    """
    said = " ".join(text.lower().replace(",", " ").split())
    return _length(said, now) or _exact(text, now) or _day_and_time(said, now)


def _exact(text: str, now: datetime) -> datetime | None:
    """Date and time of day as ISO 8601 has them."""
    if ":" not in text or "-" not in text:
        return None
    try:
        found = datetime.fromisoformat(text.strip().replace(" ", "T", 1))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)


def _length(said: str, now: datetime) -> datetime | None:
    found = _LENGTH.fullmatch(said)
    if not found or found[2] not in _UNITS:
        return None
    if not found[1] and "last" not in said and "past" not in said:
        return None
    number = int(found[1]) if (found[1] or "").isdigit() else 1
    return now - timedelta(seconds=number * _UNITS[found[2]]) if number <= LARGEST else None


def _day_and_time(said: str, now: datetime) -> datetime | None:
    words = [word for word in said.split() if word not in ("at", "on", "the", "last", "this")]
    day = _day(words[0], now) if words else None
    if day is not None:
        words = words[1:]
    if not words:
        return day
    time = _time(" ".join(words))
    if time is None:
        return None
    if day is not None:
        return day + time
    found = _midnight(now) + time
    if said == "last night" or found > now:
        found -= timedelta(days=1)
    return found


def _day(word: str, now: datetime) -> datetime | None:
    today = _midnight(now)
    if word == "today":
        return today
    if word == "yesterday":
        return today - timedelta(days=1)
    if word == "week":
        return today - timedelta(days=today.weekday())
    if word in _DAYS:
        return today - timedelta(days=(today.weekday() - _DAYS.index(word) - 1) % 7 + 1)
    if date := _DATE.fullmatch(word):
        try:
            return today.replace(year=int(date[1]), month=int(date[2]), day=int(date[3]))
        except ValueError:
            return None
    return None


def _time(words: str) -> timedelta | None:
    if words in _TIMES_OF_DAY:
        return timedelta(hours=_TIMES_OF_DAY[words])
    found = _TIME.fullmatch(words)
    if not found:
        return None
    hours, minutes, seconds = int(found[1]), int(found[2] or 0), int(found[3] or 0)
    if found[4] in ("am", "pm"):
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if found[4] == "pm" else 0)
    is_one = hours < 24 and minutes < 60 and seconds < 60
    return timedelta(hours=hours, minutes=minutes, seconds=seconds) if is_one else None


def _midnight(now: datetime) -> datetime:
    return now.replace(hour=0, minute=0, second=0, microsecond=0)

"""Lengths of time as people type them: `30m`, `4h`, `2d`."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from panel.cli.output import USAGE, stop

UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
LONGEST = timedelta(days=3650)
_LENGTH = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)([mhd])")


def length_of(text: str, option: str) -> timedelta:
    """Ends the command, with what is expected, where the text is no length."""
    found = _LENGTH.fullmatch(text.strip())
    if not found:
        stop(f"{option} {text} is no length of time. Give a number with m, h or d: 30m, 4h, 2d.", USAGE)
    return min(float(found[1]) * UNITS[found[2]], LONGEST)


def moment_of(text: str, option: str, now: datetime) -> datetime:
    """So long ago, or a day or moment as ISO 8601 writes it, in the time zone of this machine if it names none."""
    if _LENGTH.fullmatch(text.strip()):
        return now - length_of(text, option)
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except (ValueError, OverflowError, OSError):
        stop(f"{option} {text} is no moment. Give a length, such as 2d, or a day, such as 2026-11-28.", USAGE)

"""Ages within sentences, such as "20 s ago"."""

from __future__ import annotations

from datetime import datetime

UNITS = ((86400, "days"), (3600, "h"), (60, "min"), (1, "s"))
FROM = 2
"""A unit is used from so many on: 90 minutes and 36 hours say more than 1 h and 1 day."""


def ago(moment: datetime, now: datetime) -> str:
    """The age of `moment`, rounded down. The moment itself, if it is to come: the clock was set back since."""
    seconds = (now - moment).total_seconds()
    if seconds < 0:
        return f"at {moment:%Y-%m-%d %H:%M} UTC"
    if seconds < 1:
        return "just now"
    length_s, unit = next(((length, unit) for length, unit in UNITS if seconds >= FROM * length), (1, "s"))
    return f"{int(seconds // length_s)} {unit} ago"

"""Ages as text, such as "2 hours ago"."""

from __future__ import annotations

from datetime import datetime

UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def ago(moment: datetime, now: datetime) -> str:
    """The age of `moment` in its largest whole unit: "2 hours ago"."""
    seconds = (now - moment).total_seconds()
    for length_s, unit in UNITS:
        if seconds >= length_s:
            number = int(seconds // length_s)
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now" if seconds < 10 else f"{int(seconds)} seconds ago"

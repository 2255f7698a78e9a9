"""Ages as text, such as "2 hours ago"."""

from __future__ import annotations

from datetime import datetime

CLOCKS_DIFFER_S = 60
"""Clocks of two machines differ by less."""
NO_RELEASE_DATE = "release date not known"
UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"))


def ago(moment: datetime | None, now: datetime) -> str:
    """The age of `moment` in its largest whole unit: "2 hours ago". A moment that is to come, because a clock was set
    back since or is another one, is given as it is. None: nobody knows when it was."""
    if moment is None:
        return "at an unknown time"
    seconds = (now - moment).total_seconds()
    if seconds < -CLOCKS_DIFFER_S:
        return f"{moment:%Y-%m-%d %H:%M} UTC"
    for length_s, unit in UNITS:
        if seconds >= length_s:
            number = int(seconds // length_s)
            return f"{number} {unit}{'' if number == 1 else 's'} ago"
    return "just now" if seconds < 10 else f"{int(seconds)} seconds ago"

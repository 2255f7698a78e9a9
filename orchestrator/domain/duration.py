"""How long something took, by two moments of the time of day."""

from __future__ import annotations

from datetime import datetime


def seconds_between(began: datetime | None, ended: datetime | None) -> float | None:
    """None if one of them is not there yet, and if the end is before the beginning: the clock was set back while
    nobody timed it, because the orchestrator was restarted in between. How long it took is not known then.
    """
    if began is None or ended is None or ended < began:
        return None
    return (ended - began).total_seconds()

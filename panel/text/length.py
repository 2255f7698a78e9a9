"""How long something takes or took, such as `3 min 20 s`."""

from __future__ import annotations

from datetime import timedelta


def length(seconds: float) -> str:
    """In the two largest units. Below a minute with a tenth of a second."""
    if seconds < 60:
        return f"{max(0.0, seconds):.1f} s"
    whole = timedelta(seconds=round(seconds))
    hours, minutes, rest = whole.seconds // 3600, whole.seconds % 3600 // 60, whole.seconds % 60
    if whole.days:
        return f"{whole.days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"

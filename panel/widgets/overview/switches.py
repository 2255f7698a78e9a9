"""The switches of an app as marks of its plots."""

from __future__ import annotations

from datetime import datetime

from panel.client.traffic_model import Switch
from panel.widgets.plots.plot import Mark


def marks(switches: tuple[Switch, ...], newest: datetime | None, kept_s: int) -> tuple[Mark, ...]:
    """Each with the letter of the colour that got the traffic, and its version. `newest`: the moment that is on the
    right; nothing is marked while it is not known."""
    if newest is None:
        return ()
    found = []
    for one in switches:
        at = 1 - (newest - one.at).total_seconds() / kept_s
        if at >= 0:
            found.append(Mark(min(1.0, at), one.version, one.colour[:1].upper()))
    return tuple(found)

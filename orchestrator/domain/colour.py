"""The two slots of an app, and which of them comes next."""

from __future__ import annotations

from enum import StrEnum


class Colour(StrEnum):
    """The two slots of an app."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Colour:
        return Colour.GREEN if self is Colour.BLUE else Colour.BLUE


def next_colour(active: Colour | None) -> Colour:
    """The colour of the next candidate: the one that does not have the traffic; blue for an app's first release."""
    return active.other if active else Colour.BLUE

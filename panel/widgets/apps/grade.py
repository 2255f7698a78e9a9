"""How an app is, as one mark: its shape says what its colour says."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from panel.client.model import App
from panel.text.counted import counted

HEALTHY, NONE = "healthy", "none"
ANSWERS_NEVERTHELESS = frozenset({"standby"})
"""The healths in which requests are answered, although something is wrong."""


class Grade(IntEnum):
    """From what needs nobody to what needs somebody now."""

    WELL = 0
    EMPTY = 1
    """No release of it is live, and none was."""
    WARNED = 2
    BAD = 3

    @property
    def mark(self) -> str:
        return MARKS[self]

    @property
    def heading(self) -> str:
        """The name of the group of such apps."""
        return HEADINGS[self]


MARKS = {Grade.WELL: "●", Grade.EMPTY: "○", Grade.WARNED: "▲", Grade.BAD: "✗"}
HEADINGS = {Grade.WELL: "well", Grade.EMPTY: "not deployed", Grade.WARNED: "with a warning", Grade.BAD: "need you"}


def grade_of(app: App) -> Grade:
    """What keeps requests from an app, or a release from its data, is bad; what does not yet is a warning."""
    if app.unsettled or any(not one.warns for one in app.troubles):
        return Grade.BAD
    if app.health in ANSWERS_NEVERTHELESS or app.troubles:
        return Grade.WARNED
    if app.health == HEALTHY:
        return Grade.WELL
    return Grade.EMPTY if app.health == NONE and app.active is None else Grade.BAD


def all_in_words(apps: Iterable[App]) -> tuple[Grade, str]:
    """The worst grade of all apps, and what it means: "all well", "2 apps need you"."""
    grades = [grade_of(app) for app in apps]
    for grade in (Grade.BAD, Grade.WARNED):
        if number := grades.count(grade):
            needs = "needs you" if number == 1 else Grade.BAD.heading
            return grade, f"{counted(number, 'app')} {needs if grade is Grade.BAD else grade.heading}"
    return Grade.WELL, "all well" if grades else "no apps"

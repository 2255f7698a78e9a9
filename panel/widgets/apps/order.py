"""Which apps the list shows, and in which order: filtered, sorted, and grouped by how they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from panel.client.model import App
from panel.widgets.apps.grade import Grade, grade_of
from panel.widgets.apps.numbers import NO_NUMBERS, Numbers, NumbersOf

INVERSE = "!"
"""Before a filter: the apps that do not have it."""


class Sort(StrEnum):
    """What the list is sorted by. The next one of the last is the first."""

    FILE = "file"
    """As the configuration file has them."""
    NAME = "name"
    HEALTH = "health"
    REQUESTS = "requests"
    ERRORS = "errors"
    P99 = "p99"

    @property
    def next(self) -> Sort:
        every = list(Sort)
        return every[(every.index(self) + 1) % len(every)]


@dataclass(frozen=True)
class View:
    """What a person wants to see of the apps. `words`: each must be in an app's name, version or health."""

    words: str = ""
    sort: Sort = Sort.FILE
    grouped: bool = False
    faults_only: bool = False

    @property
    def is_plain(self) -> bool:
        return self == View()


def arranged(apps: Iterable[App], view: View, numbers: NumbersOf, before: Sequence[str] = ()) -> list[App]:
    """The apps that are shown, in their order. Those that are equal in what changes by itself stay as they were
    `before`, so that no line moves while its numbers stay as they are."""
    place = {name: index for index, name in enumerate(before)}
    shown = [app for app in apps if _matches(app, view)]
    if view.sort not in (Sort.FILE, Sort.NAME):
        shown.sort(key=lambda app: place.get(app.name, len(place)))
    if view.sort is Sort.NAME:
        shown.sort(key=lambda app: app.name)
    elif view.sort is Sort.HEALTH:
        shown.sort(key=lambda app: -grade_of(app))
    elif view.sort is not Sort.FILE:
        shown.sort(key=lambda app: -_number(numbers(app.name), view.sort))
    if view.grouped:
        shown.sort(key=lambda app: -grade_of(app))
    return shown


def _matches(app: App, view: View) -> bool:
    if view.faults_only and grade_of(app) < Grade.WARNED:
        return False
    words = view.words.casefold().split()
    known = " ".join([app.name, app.health, app.active.version if app.active else ""]).casefold()
    return all(_has(known, word) for word in words)


def _has(known: str, word: str) -> bool:
    if word.startswith(INVERSE) and len(word) > 1:
        return word[1:] not in known
    return word in known


def _number(numbers: Numbers, sort: Sort) -> float:
    known = numbers or NO_NUMBERS
    found = {Sort.REQUESTS: known.now, Sort.ERRORS: known.errors, Sort.P99: known.p99}[sort]
    return -1.0 if found is None else found

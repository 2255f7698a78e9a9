"""The proxy's backends are numbered, so that an app can be given spare ones without a new configuration.

An app has one number for its life, and by it three backends: blue, green and the preview. A worker from before a reload
thus never sees a backend that belongs to another app now.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import chain, count

from orchestrator.domain.colour import Colour


class ServerName(StrEnum):
    """The servers in each backend of a colour; a preview has the first only."""

    APP = "app"
    FALLBACK = "fallback"


# The names of apps have no underscore, so that no backend can be taken for one that the version before named by app.
_NAME = re.compile(r"app_(?P<number>[1-9][0-9]*)_(?P<colour>blue|green)")


def backend(number: int, colour: Colour) -> str:
    return f"app_{number}_{colour}"


def preview(number: int) -> str:
    return f"app_{number}_preview"


def backend_set(number: int) -> tuple[str, ...]:
    return (*(backend(number, colour) for colour in Colour), preview(number))


def number_of(name: str) -> int | None:
    match = _NAME.fullmatch(name)
    return int(match["number"]) if match else None


def colour_of(name: str) -> Colour | None:
    match = _NAME.fullmatch(name)
    return Colour(match["colour"]) if match else None


def numbers_from_files(recorded: Mapping[str, str], traffic: Mapping[str, str]) -> dict[str, int]:
    """App -> number, as recorded; for an app that has no good entry there, as its traffic goes. No number twice."""
    found: dict[str, int] = {}
    for app, text in recorded.items():
        if re.fullmatch("[1-9][0-9]*", text) and int(text) not in found.values():
            found[app] = int(text)
    for app, name in traffic.items():
        number = number_of(name)
        if app not in found and number is not None and number not in found.values():
            found[app] = number
    return found


def assign(numbers: Mapping[str, int], apps: Iterable[str], declared: int) -> dict[str, int]:
    """A number for each of `apps`, and for nobody else; who has one keeps it.

    A new app gets the next free one of those `declared`, after the number that was given last, so that one that was
    given back rests for as long as can be: requests of its former app may still be in flight. Only when all declared
    ones are taken it gets a higher one.
    """
    apps = list(apps)
    kept = {app: number for app, number in numbers.items() if app in apps}
    last = min(list(numbers.values())[-1], declared) if numbers else 0
    for app in apps:
        if app not in kept:
            turn = chain(range(last + 1, declared + 1), range(1, last + 1), count(declared + 1))
            kept[app] = next(number for number in turn if number not in kept.values())
            last = min(kept[app], declared)
    return kept


def to_declare(numbers: Mapping[str, int], declared: int, spare: int) -> int:
    """How many sets the next configuration declares, which until now declared so many.

    As many as until now while they are enough, so that the file stays what the running worker has; else one for each
    app and the spare ones, and at least up to the highest.
    """
    highest = max(numbers.values(), default=0)
    return declared if declared and highest <= declared else max(len(numbers) + spare, highest)


def declared_in(configuration: str) -> int:
    """How many sets a configuration declares."""
    return len(re.findall(r"^backend app_[1-9][0-9]*_preview$", configuration, re.MULTILINE))

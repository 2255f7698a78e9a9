"""The names of the proxy's backends. They are numbered, so that an app can be added without a new configuration.

An app keeps its number. The number gives it three backends: blue, green and preview. So in a worker from before a
reload, no backend belongs to another app.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import chain, count

from orchestrator.domain.colour import Colour


class ServerName(StrEnum):
    """The names of the servers in the backend of a colour. A preview backend has `app` only."""

    APP = "app"
    FALLBACK = "fallback"


# Names of apps have no underscore, so these names differ from those of the previous version, such as `shop_blue`.
_NAME = re.compile(r"app_(?P<number>[1-9][0-9]*)_(?P<colour>blue|green)")


def backend(number: int, colour: Colour) -> str:
    return f"app_{number}_{colour}"


def servers_of(number: int, colour: Colour) -> tuple[str, str]:
    """The servers that lead to the container of a colour: its own, and the fallback of the other colour."""
    return f"{backend(number, colour)}/{ServerName.APP}", f"{backend(number, colour.other)}/{ServerName.FALLBACK}"


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
    """App -> number, from the recorded numbers, or else from the traffic map. No number is used twice."""
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
    """App -> number for each of `apps`. An app that has a number keeps it.

    A new app gets the next free number, up to `declared`, after the one that was assigned last: so a freed number is
    reused as late as possible, because requests of its former app may still run. If none is free, it gets a higher one.
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
    """How many sets of backends the next configuration declares; `declared` is the number in the current one.

    It stays the same while it is enough, so that the file stays what the running worker has. Otherwise it is the number
    of apps plus `spare`, and at least the highest number.
    """
    highest = max(numbers.values(), default=0)
    return declared if declared and highest <= declared else max(len(numbers) + spare, highest)


def declared_in(configuration: str) -> int:
    """How many sets of backends a configuration declares."""
    return len(re.findall(r"^backend app_[1-9][0-9]*_preview$", configuration, re.MULTILINE))

"""The numbers of an app over some time, as they are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orchestrator.domain.traffic import Container, Minute, Point, Use

MINUTE_S = 60


@dataclass(frozen=True)
class Columns:
    """Points that are `step` seconds apart, the oldest first, and when each of these steps ended. None: a gap."""

    step: int
    at: list[datetime]
    points: list[Point | None]
    containers: Mapping[Container, Sequence[Use | None]] = field(default_factory=dict)


def by_minute(minutes: Sequence[Minute]) -> Columns:
    """From the minutes that were recorded, the oldest first; those that were not are gaps.

    In a minute without a row, an app had no requests, and its containers used what they did in the one before.
    """
    if not minutes:
        return Columns(MINUTE_S, [], [])
    first, by_number = minutes[0].at, {_since(minutes[0].at, one.at): one for one in minutes}
    numbers = range(max(by_number) + 1)
    points: list[Point | None] = []
    containers: dict[Container, list[Use | None]] = {}
    used: Mapping[Container, Use] = {}
    for number in numbers:
        minute = by_number.get(number)
        mine = next(iter(minute.apps), None) if minute else None
        points.append(None if minute is None else mine.point if mine else Point())
        used = mine.containers if mine else used
        for container in used.keys() - containers.keys():
            containers[container] = [None] * number
        for container, uses in containers.items():
            uses.append(used.get(container) if minute else None)
    return Columns(MINUTE_S, [first + timedelta(minutes=number) for number in numbers], points, containers)


def _since(first: datetime, moment: datetime) -> int:
    return round((moment - first).total_seconds() / MINUTE_S)

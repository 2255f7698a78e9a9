"""The numbers of an app for one second, for ten, or for a minute."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from orchestrator.domain.colour import Colour


class Point(NamedTuple):
    """Per second: the requests, and those of each kind. Connections and queue as they were on average. Percentiles in
    milliseconds, NaN without requests of which it is known how long they took."""

    requests: float = 0.0
    ok: float = 0.0
    redirects: float = 0.0
    client_errors: float = 0.0
    server_errors: float = 0.0
    failed: float = 0.0
    connections: float = 0.0
    queue: float = 0.0
    p50: float = math.nan
    p90: float = math.nan
    p99: float = math.nan


class Use(NamedTuple):
    """What a container used: the share of a core, and bytes of memory. NaN where it is not known."""

    cpu: float = math.nan
    memory: float = math.nan


@dataclass(frozen=True)
class Container:
    """A container of an app's colour."""

    name: str
    app: str
    colour: Colour


@dataclass(frozen=True)
class AppMinute:
    """A minute of an app: what it was asked, and what each of its containers used."""

    app: str
    point: Point
    containers: Mapping[Container, Use] = field(default_factory=dict)


@dataclass(frozen=True)
class Minute:
    """A whole minute, which ended `at`. An app that is not in it had no requests, and its containers used what they did
    in the minute before."""

    at: datetime
    apps: tuple[AppMinute, ...]


def known(value: float) -> float | None:
    """None for NaN."""
    return None if math.isnan(value) else value

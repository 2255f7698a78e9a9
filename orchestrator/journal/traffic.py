"""The traffic of each app by the minute."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from orchestrator.domain.colour import Colour
from orchestrator.domain.traffic import AppMinute, Container, Minute, Point, Use, known
from orchestrator.journal.database import Database

KEPT_MINUTES = 7 * 24 * 60
S = 60
NOBODY = ""
"""The app of the row that says that a minute was recorded."""


class TrafficMinutes(Database):
    """Queries of minutes. Times are counted in minutes of the epoch here."""

    def add_minutes(self, minutes: Iterable[Minute]) -> None:
        """Record them, in place of what was recorded for them before a clock was set back, and delete what is older
        than 7 days."""
        for_minutes = {_number(one.at): one for one in minutes}
        rows = [row for number, one in for_minutes.items() for row in _rows(number, one)]
        table = self._traffic
        with self._writing() as connection:
            connection.execute(table.delete().where(table.c.minute.in_(list(for_minutes))))
            connection.execute(table.delete().where(table.c.minute <= max(for_minutes) - KEPT_MINUTES))
            connection.execute(table.insert(), rows)

    def minutes_of(self, app: str, since: datetime, until: datetime) -> list[Minute]:
        """Those that were recorded and ended after `since` and not after `until`, the oldest first; each with nothing
        but this app, or with no app if it had no row."""
        table = self._traffic
        wanted = (table.c.minute > _floor(since)) & (table.c.minute <= _number(until))
        query = table.select().where(wanted & table.c.app.in_([NOBODY, app])).order_by(table.c.minute)
        found: dict[int, tuple[AppMinute, ...]] = {}
        with self._reading() as connection:
            for row in connection.execute(query).mappings():
                mine = (_app_minute(row),) if row["app"] == app else ()
                found[row["minute"]] = (*found.get(row["minute"], ()), *mine)
        return [Minute(datetime.fromtimestamp(number * S, UTC), apps) for number, apps in found.items()]


def _number(moment: datetime) -> int:
    return round(moment.timestamp() / S)


def _floor(moment: datetime) -> int:
    return math.floor(moment.timestamp() / S)


def _rows(number: int, minute: Minute) -> list[dict[str, object]]:
    recorded = AppMinute(NOBODY, Point())
    return [
        {
            "minute": number,
            "app": one.app,
            **{name: known(value) for name, value in one.point._asdict().items()},
            "containers": {
                container.name: [str(container.colour), known(use.cpu), known(use.memory)]
                for container, use in one.containers.items()
            },
        }
        for one in (recorded, *minute.apps)
    ]


def _app_minute(row: Any) -> AppMinute:  # Any: SQLAlchemy's RowMapping is untyped for reflected tables
    point = Point(*(math.nan if row[name] is None else row[name] for name in Point._fields))
    containers = {
        Container(name, row["app"], Colour(colour)): Use(*(math.nan if one is None else one for one in (cpu, memory)))
        for name, (colour, cpu, memory) in row["containers"].items()
    }
    return AppMinute(row["app"], point, containers)

"""Events of all apps, and the lines of output among them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

import sqlalchemy as sa

from orchestrator.clock import now
from orchestrator.domain.events import Event, EventKind, NewEvent
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned


class EventLog(Database):
    """Queries of events."""

    def append_events(self, events: Iterable[NewEvent]) -> None:
        """Record events, in their order and in one transaction."""
        rows = [self._border.values(asdict(event)) | {"at": stored(now())} for event in events]
        if rows:
            with self._writing() as connection:
                connection.execute(self._events.insert(), rows)

    def events(self, after: int = 0, deployment_id: str = "", limit: int = 1000) -> list[Event]:
        table = self._events
        query = table.select().where(table.c.id > after).order_by(table.c.id).limit(limit)
        if deployment_id:
            query = query.where(table.c.deployment == deployment_id)
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Event(row["id"], zoned(row["at"]), row["kind"], row["app"], row["deployment"], row["fields"])
            for row in rows
        ]

    def forget_output(self, app: str, keep: int) -> None:
        """Delete the output lines of the app's deployments, except for those of the newest `keep`."""
        mine = sa.select(self._deployments.c.id).where(self._deployments.c.app == app)
        newest = mine.order_by(self._deployments.c.number.desc()).limit(keep)
        old = self._events.c.deployment.in_(mine) & self._events.c.deployment.not_in(newest)
        with self._writing() as connection:
            connection.execute(self._events.delete().where((self._events.c.kind == EventKind.LINE) & old))

    def last_event_id(self) -> int:
        with self._reading() as connection:
            return connection.execute(sa.select(sa.func.max(self._events.c.id))).scalar() or 0

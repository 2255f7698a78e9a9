"""Events of all apps, and the lines of output among them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orchestrator.clock import now
from orchestrator.domain.deployment import Kind
from orchestrator.domain.events import Event, EventKind, NewEvent
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned

MOST_OF_NO_DEPLOYMENT = 50_000
"""So many events are kept that belong to no deployment: an app decides how often its health changes."""
PRUNED_EVERY = 1000


class EventLog(Database):
    """Queries of events."""

    _of_no_deployment = PRUNED_EVERY
    """How many were recorded since the oldest ones were removed."""

    def append_events(self, events: Iterable[NewEvent], with_record: Callable[[], None] | None = None) -> None:
        """Record events, in their order and in one transaction, with what `with_record` writes."""
        rows = [self._border.values(asdict(event)) | {"at": stored(now())} for event in events]
        if rows:
            with self._writing() as connection:
                if with_record:
                    with_record()
                connection.execute(self._events.insert(), rows)
                self._of_no_deployment += sum(not row["deployment"] for row in rows)
                if self._of_no_deployment >= PRUNED_EVERY:
                    self._prune(connection)

    def events(self, after: int = 0, deployment_id: str = "", limit: int = 1000) -> list[Event]:
        table = self._events
        query = table.select().where(table.c.id > after).order_by(table.c.id).limit(limit)
        if deployment_id:
            query = query.where(table.c.deployment == deployment_id)
        return self._events_of(query)

    def _events_of(self, query: sa.Select[Any]) -> list[Event]:  # Any: the columns of a row
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Event(row["id"], zoned(row["at"]), row["kind"], row["app"], row["deployment"], row["fields"])
            for row in rows
        ]

    def newest_events(
        self, kinds: Collection[EventKind], app: str = "", limit: int = 1000, deployment: str = ""
    ) -> list[Event]:
        """Those of these kinds, of one app or of none, that belong to this deployment or to none, the newest first.

        It looks at all events that belong to the deployment, or to none, if there are fewer of these.
        """
        table = self._events
        mine = (table.c.deployment == deployment) & (table.c.app == app) & table.c.kind.in_(kinds)
        return self._events_of(table.select().where(mine).order_by(table.c.id.desc()).limit(limit))

    def events_of_kinds(self, kinds: Collection[EventKind], after: int, limit: int) -> tuple[list[Event], int]:
        """The oldest ones of these kinds with ids above `after`, and the id of the last event that was looked at."""
        newest = max(after, self.last_event_id())  # before: what comes meanwhile is looked at the next time
        table = self._events
        wanted = (table.c.id > after) & (table.c.id <= newest) & table.c.kind.in_(kinds)
        found = self._events_of(table.select().where(wanted).order_by(table.c.id).limit(limit))
        return found, found[-1].id if len(found) == limit else newest

    def newest_of_each_app(self, kinds: Collection[EventKind]) -> list[Event]:
        """By app, the newest one of these kinds that belongs to no deployment. It looks at all of these events."""
        table = self._events
        mine = (table.c.deployment == "") & table.c.kind.in_(kinds)
        newest = sa.select(sa.func.max(table.c.id)).where(mine).group_by(table.c.app)
        return self._events_of(table.select().where(table.c.id.in_(newest)).order_by(table.c.id))

    def verified_backups(self, app: str) -> dict[str, datetime]:
        """By the id of each of the app's backups: when it was found to be as it should be, if it was at its last check.
        It looks at all events that belong to no deployment."""
        newest: dict[object, Event] = {}
        for event in self.newest_events((EventKind.BACKUP_VERIFIED,), app):
            newest.setdefault(event.fields.get("backup"), event)
        return {str(backup): one.at for backup, one in newest.items() if not one.fields.get("problem")}

    def with_event(self, deployment_ids: Collection[str], kinds: Collection[EventKind]) -> set[str]:
        """Those of these deployments that have an event of one of these kinds."""
        table = self._events
        query = sa.select(table.c.deployment).distinct().where(table.c.deployment.in_(deployment_ids))
        with self._reading() as connection:
            return set(connection.execute(query.where(table.c.kind.in_(kinds))).scalars())

    def _prune(self, connection: sa.Connection) -> None:
        table = self._events
        of_none = sa.select(table.c.id).where(table.c.deployment == "").order_by(table.c.id.desc())
        newest_removed = connection.execute(of_none.offset(MOST_OF_NO_DEPLOYMENT).limit(1)).scalar()
        if newest_removed is not None:
            connection.execute(table.delete().where((table.c.deployment == "") & (table.c.id <= newest_removed)))
        self._of_no_deployment = 0

    def forget_output(self, app: str, keep: int) -> list[str]:
        """Delete the output lines of the app's deployments, except for those of the newest `keep` and of the rollbacks
        and restores since: these are not counted. Returns the ids of these."""
        table = self._deployments
        mine = sa.select(table.c.id).where(table.c.app == app)
        counted = sa.select(table.c.number).where((table.c.app == app) & (table.c.kind == Kind.DEPLOY))
        newest = counted.order_by(table.c.number.desc()).limit(keep).subquery()
        oldest_kept = sa.select(sa.func.coalesce(sa.func.min(newest.c.number), 0)).scalar_subquery()
        old = self._events.c.deployment.in_(mine.where(table.c.number < oldest_kept))
        with self._writing() as connection:
            connection.execute(self._events.delete().where((self._events.c.kind == EventKind.LINE) & old))
            return list(connection.execute(mine.where(table.c.number >= oldest_kept)).scalars())

    def output(self, deployment_ids: Collection[str], limit: int) -> list[Event]:
        """The last `limit` lines of output of these deployments, the oldest first."""
        table = self._events
        mine = table.c.deployment.in_(deployment_ids) & (table.c.kind == EventKind.LINE)
        return self._events_of(table.select().where(mine).order_by(table.c.id.desc()).limit(limit))[::-1]

    def last_event_id(self) -> int:
        with self._reading() as connection:
            return connection.execute(sa.select(sa.func.max(self._events.c.id))).scalar() or 0

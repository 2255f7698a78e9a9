"""Alerts, and until which event they are made."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from orchestrator.domain.alert import Alert, AlertKind
from orchestrator.journal.audit_log import clipped
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned, zoned_if_any

LONGEST_CAUSE = 2000
MOST_OF_APP = 5000
"""Of each app, the newest ones are kept: a source that fails every minute does not fill the disk."""


class Alerts(Database):
    """Queries of alerts."""

    def alerts(
        self,
        limit: int,
        before: int | None = None,
        apps: Collection[str] | None = None,
        since: datetime | None = None,
    ) -> list[Alert]:
        """The newest first; with `before`, those with smaller ids. `apps`: of these alone; an empty name stands for the
        host. `since`: those that have not ended before."""
        table = self._alerts
        query = table.select().order_by(table.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(table.c.id < before)
        if apps is not None:
            query = query.where(table.c.app.in_(list(apps)))
        if since is not None:
            query = query.where(table.c.ended_at.is_(None) | (table.c.ended_at >= stored(since)))
        return self._alerts_of(query)

    def alerts_going_on(self) -> list[Alert]:
        table = self._alerts
        # Also those that this Changeover does not know, of a later one before it was put back: they are left alone.
        known = table.c.kind.in_(list(AlertKind))
        return self._alerts_of(table.select().where(table.c.ended_at.is_(None) & known).order_by(table.c.id))

    def alerts_made_until(self) -> int:
        """The id of the last event that was read for alerts."""
        with self._reading() as connection:
            return connection.execute(sa.select(self._alerts_read.c.event)).scalar() or 0

    def save_alerts(self, changed: Iterable[Alert], until: int, *, forget_before: datetime) -> None:
        """Record alerts that are new or have ended, and that events up to `until` are read. Those that ended before
        `forget_before` are forgotten."""
        table = self._alerts
        with self._writing() as connection:
            for one in changed:
                if one.id > 0:
                    mine = table.update().where(table.c.id == one.id)
                    connection.execute(mine.values(ended_at=stored(one.ended_at)))
                else:
                    connection.execute(table.insert().values(self._alert_row(one)))
            connection.execute(table.delete().where(table.c.ended_at < stored(forget_before)))
            for app in {one.app for one in changed}:
                newest = sa.select(table.c.id).where(table.c.app == app).order_by(table.c.id.desc())
                oldest = connection.execute(newest.offset(MOST_OF_APP).limit(1)).scalar()
                if oldest is not None:
                    connection.execute(table.delete().where((table.c.app == app) & (table.c.id <= oldest)))
            if not connection.execute(self._alerts_read.update().values(event=until)).rowcount:
                connection.execute(self._alerts_read.insert().values(event=until))

    def _alert_row(self, one: Alert) -> dict[str, object]:
        return {
            "kind": one.kind,
            "app": one.app,
            "deployment": one.deployment,
            "began_at": stored(one.began_at),
            "ended_at": stored(one.ended_at),
            "cause": clipped(self._border.text(one.cause), LONGEST_CAUSE),
            "muted": one.muted,
        }

    def _alerts_of(self, query: sa.Select[Any]) -> list[Alert]:  # Any: the columns of a row
        with self._reading() as connection:
            rows = connection.execute(query.where(self._alerts.c.kind.in_(list(AlertKind)))).mappings().all()
        return [
            Alert(
                AlertKind(row["kind"]),
                row["app"],
                zoned(row["began_at"]),
                row["cause"],
                row["deployment"],
                zoned_if_any(row["ended_at"]),
                row["muted"],
                row["id"],
            )
            for row in rows
        ]

"""Notices that wait until services have taken them, and whether checks of an app fail: each is told once."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from orchestrator.clock import now
from orchestrator.domain.notice import Notice, NoticeKind
from orchestrator.domain.version_record import VersionRecord
from orchestrator.journal.audit_log import clipped
from orchestrator.journal.rows import stored, zoned
from orchestrator.journal.versions import VersionRecords

LONGEST_TITLE, LONGEST_BODY = 300, 4000


class Notices(VersionRecords):
    """Queries of notices. One of an update and the moment at which it was told are written together."""

    def queue_notice(self, notice: Notice, told: VersionRecord | None = None) -> int:
        """Record a notice; its id. `told`: of a notice of an update, the version with the moment of the notice."""
        row = {
            "app": notice.app,
            "kind": notice.kind,
            "title": clipped(self._border.text(notice.title), LONGEST_TITLE),
            "body": clipped(self._border.text(notice.body), LONGEST_BODY),
            "queued_at": stored(notice.queued_at),
            "taken": list(notice.taken),
        }
        with self._writing() as connection:
            key = connection.execute(self._notices.insert().values(row)).inserted_primary_key
            if told:
                self._save_version(connection, notice.app, told, "told_at")
        assert key is not None
        return int(key[0])

    def waiting_notices(self) -> list[Notice]:
        """The oldest first."""
        with self._reading() as connection:
            rows = connection.execute(self._notices.select().order_by(self._notices.c.id)).mappings().all()
        return [
            Notice(
                row["app"],
                NoticeKind(row["kind"]),
                row["title"],
                row["body"],
                zoned(row["queued_at"]),
                row["id"],
                tuple(row["taken"]),
            )
            for row in rows
        ]

    def notices_taken(self, taken: dict[int, tuple[str, ...]]) -> None:
        """By the id of each notice: the services that have it now."""
        table = self._notices
        with self._writing() as connection:
            for id, places in taken.items():
                connection.execute(table.update().where(table.c.id == id).values(taken=list(places)))

    def forget_notices(self, ids: list[int]) -> None:
        """They are told, or will not be."""
        with self._writing() as connection:
            connection.execute(self._notices.delete().where(self._notices.c.id.in_(ids)))

    def check_failed(self, app: str) -> bool:
        """Record that a check failed. Whether the one before did not."""
        table = self._failing_checks
        with self._writing() as connection:
            if connection.execute(sa.select(table.c.since).where(table.c.app == app)).scalar() is not None:
                return False
            connection.execute(table.insert().values(app=app, since=stored(now())))
        return True

    def check_succeeded(self, app: str) -> datetime | None:
        """Record that a check did not fail. Since when the ones before failed; None if they did not."""
        table = self._failing_checks
        query = sa.select(table.c.since).where(table.c.app == app)
        with self._reading() as connection:
            if connection.execute(query).scalar() is None:
                return None
        with self._writing() as connection:
            since = connection.execute(query).scalar()
            connection.execute(table.delete().where(table.c.app == app))
        return zoned(since) if since else None

"""Notices that wait until services have taken them, and whether checks of an app fail: each is told once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import sqlalchemy as sa

from orchestrator.clock import now
from orchestrator.domain.events import Event, EventKind
from orchestrator.domain.notice import About, Notice
from orchestrator.domain.version_record import VersionRecord
from orchestrator.journal.audit_log import clipped
from orchestrator.journal.event_log import EventLog
from orchestrator.journal.rows import stored, zoned
from orchestrator.journal.versions import VersionRecords

LONGEST_TITLE, LONGEST_BODY = 300, 4000


class Notices(VersionRecords, EventLog):
    """Queries of notices. One of an update and the moment at which it was told are written together."""

    def queue_notice(self, notice: Notice, told: VersionRecord | None = None, *, begins_to_fail: bool = False) -> int:
        """Record a notice; its id. `told`: of a notice of an update, the version with the moment of the notice.
        `begins_to_fail`: it tells that checks of the app fail."""
        row = {
            "app": notice.app,
            "kind": notice.about,
            "title": clipped(self._border.text(notice.title), LONGEST_TITLE),
            "body": clipped(self._border.text(notice.body), LONGEST_BODY),
            "queued_at": stored(notice.queued_at),
            "taken": list(notice.taken),
        }
        with self._writing() as connection:
            key = connection.execute(self._notices.insert().values(row)).inserted_primary_key
            if told:
                self._save_version(connection, notice.app, told, "told_at")
            if begins_to_fail:
                self._fails(connection, notice.app)
        assert key is not None
        return int(key[0])

    def waiting_notices(self) -> list[Notice]:
        """The oldest first. Those of a kind that only a later Changeover knows, before it was put back, are left."""
        table = self._notices
        query = table.select().where(table.c.kind.in_(list(About))).order_by(table.c.id)
        with self._reading() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Notice(
                row["app"],
                About(row["kind"]),
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

    def failing_services(self) -> dict[str, datetime]:
        """By their labels: since when services do not take notices, as the events say."""
        newest: dict[str, Event] = {}
        for event in self.newest_events((EventKind.NOTICE_FAILED, EventKind.NOTICES_TAKEN)):
            newest.setdefault(str(event.fields.get("service") or ""), event)
        failed = {label: one for label, one in newest.items() if label and one.kind == EventKind.NOTICE_FAILED}
        return {label: one.at for label, one in failed.items()}

    def check_failed(self, app: str) -> None:
        """Record that checks of an app fail, of which nobody is told."""
        with self._writing() as connection:
            self._fails(connection, app)

    def _fails(self, connection: sa.Connection, app: str) -> None:
        table = self._failing_checks
        if connection.execute(sa.select(table.c.since).where(table.c.app == app)).scalar() is None:
            connection.execute(table.insert().values(app=app, since=stored(now())))

    def checks_fail(self, app: str) -> bool:
        """Whether the last check of an app failed."""
        table = self._failing_checks
        with self._reading() as connection:
            return connection.execute(sa.select(table.c.since).where(table.c.app == app)).scalar() is not None

    def check_succeeded(self, app: str) -> None:
        """Record that a check did not fail, when that has been published."""
        with self._writing() as connection:
            connection.execute(self._failing_checks.delete().where(self._failing_checks.c.app == app))

    def forget_failing_checks(self, apps: Collection[str]) -> None:
        """Of all apps but these: they are not configured any more."""
        with self._writing() as connection:
            connection.execute(self._failing_checks.delete().where(self._failing_checks.c.app.not_in(list(apps))))

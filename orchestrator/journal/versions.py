"""What is remembered of the versions of each app: seen, dismissed, skipped, told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial

import sqlalchemy as sa

from orchestrator.domain.version_record import VersionRecord
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned, zoned_if_any

MOST_NOT_SKIPPED = 50
"""Of each app, so many versions are kept that nobody skipped, those that were seen last."""
MOMENTS = ("seen_at", "dismissed_at", "skipped_at", "told_at")


class VersionRecords(Database):
    """Queries of the versions of apps."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known_versions: dict[str, dict[str, VersionRecord]] = {}

    def _read_again(self, connection: sa.Connection) -> None:
        super()._read_again(connection)
        for app in list(self._known_versions):
            self._when_written(partial(self._known_versions.update, {app: self._versions_in(connection, app)}))

    def versions(self, app: str) -> Mapping[str, VersionRecord]:
        """By version; from memory, if they were asked for before."""
        if (known := self._known_versions.get(app)) is not None:
            return known
        before = self._written
        with self._reading() as connection:
            found = self._versions_in(connection, app)
        if before == self._written:
            self._known_versions[app] = found
        return found

    def save_version(self, app: str, record: VersionRecord, *changed: str) -> None:
        """Change these fields of what is remembered of a version, and leave the others as they are, whatever was saved
        since `record` was read; add the record if there is none. The oldest ones that nobody skipped are forgotten."""
        with self._writing() as connection:
            self._save_version(connection, app, record, *changed)

    def _save_version(self, connection: sa.Connection, app: str, record: VersionRecord, *changed: str) -> None:
        table = self._versions
        mine = (table.c.app == app) & (table.c.version == record.version)
        row = asdict(record) | {name: stored(getattr(record, name)) for name in MOMENTS}
        values = {name: row[name] for name in changed or row}
        if not connection.execute(table.update().where(mine).values(values)).rowcount:
            connection.execute(table.insert().values(app=app, **row))
        others = (table.c.app == app) & table.c.skipped_at.is_(None)
        newest = sa.select(table.c.version).where(others).order_by(table.c.seen_at.desc())
        for version in connection.execute(newest.offset(MOST_NOT_SKIPPED)).scalars().all():
            connection.execute(table.delete().where((table.c.app == app) & (table.c.version == version)))
        self._when_written(partial(self._known_versions.update, {app: self._versions_in(connection, app)}))

    def _versions_in(self, connection: sa.Connection, app: str) -> dict[str, VersionRecord]:
        rows = connection.execute(self._versions.select().where(self._versions.c.app == app)).mappings()
        return {
            row["version"]: VersionRecord(
                row["version"],
                zoned(row["seen_at"]),
                zoned_if_any(row["dismissed_at"]),
                zoned_if_any(row["skipped_at"]),
                row["skipped_by"],
                zoned_if_any(row["told_at"]),
            )
            for row in rows
        }

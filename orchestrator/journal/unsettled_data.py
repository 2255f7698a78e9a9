"""What failed changes of the apps' data left, at most one for each app."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from orchestrator.domain.unsettled import Unsettled
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned


class UnsettledData(Database):
    """Queries of unsettled data. All of it is kept in memory, because `status` asks for each app."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known_unsettled: dict[str, Unsettled] | None = None

    def _read_again(self, connection: sa.Connection) -> None:
        super()._read_again(connection)
        self._keep_unsettled(connection)

    def unsettled(self, app: str) -> Unsettled | None:
        """What is unsettled in the app's data; None if nothing is. From memory, if it was asked for before."""
        known = self._known_unsettled
        if known is None:
            before = self._written
            with self._reading() as connection:
                known = self._all_unsettled(connection)
            if before == self._written:
                self._known_unsettled = known
        return known.get(app)

    def leave(self, app: str, left: Unsettled) -> None:
        """Record what is unsettled, in place of what was before."""
        with self._writing() as connection:
            connection.execute(self._unsettled.delete().where(self._unsettled.c.app == app))
            row = self._border.values(asdict(left)) | {"app": app, "since": stored(left.since)}
            connection.execute(self._unsettled.insert().values(row))
            self._keep_unsettled(connection)

    def settle(self, app: str) -> None:
        """Record that nothing is unsettled in the app's data any more. Writes nothing if nothing was."""
        if self.unsettled(app) is None:
            return
        with self._writing() as connection:
            connection.execute(self._unsettled.delete().where(self._unsettled.c.app == app))
            self._keep_unsettled(connection)

    def _keep_unsettled(self, connection: sa.Connection) -> None:
        after = self._all_unsettled(connection)

        def keep() -> None:
            self._known_unsettled = after

        self._when_written(keep)

    def _all_unsettled(self, connection: sa.Connection) -> dict[str, Unsettled]:
        rows = connection.execute(self._unsettled.select()).mappings().all()
        return {
            row["app"]: Unsettled(row["deployment"], zoned(row["since"]), row["says"], row["remedy"], row["backup"])
            for row in rows
        }

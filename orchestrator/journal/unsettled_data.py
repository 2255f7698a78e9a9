"""What failed changes of the apps' data left, at most one for each app."""

from __future__ import annotations

from dataclasses import asdict

from orchestrator.domain.unsettled import Unsettled
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned


class UnsettledData(Database):
    """Queries of unsettled data. All of it is kept in memory, because `status` asks for each app."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known_unsettled: dict[str, Unsettled] | None = None

    def unsettled(self, app: str) -> Unsettled | None:
        """What is unsettled in the app's data; None if nothing is."""
        if self._known_unsettled is None:
            with self._reading() as connection:
                rows = connection.execute(self._unsettled.select()).mappings().all()
            self._known_unsettled = {
                row["app"]: Unsettled(row["deployment"], zoned(row["since"]), row["says"], row["remedy"], row["backup"])
                for row in rows
            }
        return self._known_unsettled.get(app)

    def leave(self, app: str, left: Unsettled) -> None:
        """Record what is unsettled, in place of what was before."""
        self._known_unsettled = None
        with self._writing() as connection:
            connection.execute(self._unsettled.delete().where(self._unsettled.c.app == app))
            connection.execute(
                self._unsettled.insert().values(asdict(left) | {"app": app, "since": stored(left.since)})
            )

    def settle(self, app: str) -> None:
        """Record that nothing is unsettled in the app's data any more. Writes nothing if nothing was."""
        if self.unsettled(app) is None:
            return
        self._known_unsettled = None
        with self._writing() as connection:
            connection.execute(self._unsettled.delete().where(self._unsettled.c.app == app))

"""The apps that are muted: at most one mute for each."""

from __future__ import annotations

from dataclasses import asdict

import sqlalchemy as sa

from orchestrator.domain.mute import Mute
from orchestrator.journal.audit_log import clipped
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned


class Mutes(Database):
    """Queries of mutes. All of them are kept in memory, because `status` asks for each app."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known_mutes: dict[str, Mute] | None = None

    def _read_again(self, connection: sa.Connection) -> None:
        super()._read_again(connection)
        self._keep_mutes(connection)

    def mute(self, app: str) -> Mute | None:
        """The app's last mute, which may be over; None if there is none. From memory, if it was asked for before."""
        known = self._known_mutes
        if known is None:
            before = self._written
            with self._reading() as connection:
                known = self._all_mutes(connection)
            if before == self._written:
                self._known_mutes = known
        return known.get(app)

    def save_mute(self, mute: Mute) -> None:
        """Record it in place of the one before."""
        with self._writing() as connection:
            connection.execute(self._mutes.delete().where(self._mutes.c.app == mute.app))
            by = clipped(self._border.text(mute.by), 100)
            row = asdict(mute) | {"since": stored(mute.since), "until": stored(mute.until), "by": by}
            connection.execute(self._mutes.insert().values(row))
            self._keep_mutes(connection)

    def _keep_mutes(self, connection: sa.Connection) -> None:
        after = self._all_mutes(connection)

        def keep() -> None:
            self._known_mutes = after

        self._when_written(keep)

    def _all_mutes(self, connection: sa.Connection) -> dict[str, Mute]:
        rows = connection.execute(self._mutes.select()).mappings().all()
        return {row["app"]: Mute(row["app"], zoned(row["since"]), zoned(row["until"]), row["by"]) for row in rows}

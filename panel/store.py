"""The panel's own database: sessions, by their id."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from migrations.database import connect, current, head
from panel.session import SessionState

KEPT_FOR = timedelta(days=7)


class Store:
    """Sessions in the database of `url`, which the deployment's migrate step has made."""

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        self._sessions = sa.Table(
            "sessions",
            sa.MetaData(),
            sa.Column("id", sa.String, primary_key=True),
            sa.Column("saved_at", sa.DateTime),
            sa.Column("release", sa.String),
            sa.Column("state", sa.JSON),
        )

    def at_head(self) -> bool:
        """Whether the schema is the one that this code was written for."""
        return current(self._engine) == head("panel")

    def save(self, session: str, state: SessionState) -> None:
        moment = datetime.now(UTC).replace(tzinfo=None)
        table = self._sessions
        with self._engine.begin() as connection:
            connection.execute(table.delete().where((table.c.id == session) | (table.c.saved_at < moment - KEPT_FOR)))
            row = {"id": session, "saved_at": moment, "release": state.release, "state": state.model_dump()}
            connection.execute(table.insert().values(row))

    def load(self, session: str) -> SessionState | None:
        with self._engine.connect() as connection:
            row = connection.execute(self._sessions.select().where(self._sessions.c.id == session)).mappings().first()
        return SessionState.model_validate(row["state"]) if row else None

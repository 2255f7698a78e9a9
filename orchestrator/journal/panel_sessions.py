"""Sessions of the panel: their digests, use and end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from orchestrator.clock import now
from orchestrator.domain.access import PanelSession
from orchestrator.journal.audit_log import clipped
from orchestrator.journal.database import Database
from orchestrator.journal.rows import stored, zoned, zoned_if_any
from orchestrator.journal.tokens import digest_of

ENDED_KEPT_FOR = timedelta(days=7)
"""How long a session that has ended is known as such, so that its holder is told so and is not taken for a guesser."""


class PanelSessions(Database):
    """Queries of sessions of the panel."""

    def add_panel_session(self, secret: str, session: PanelSession, most_of_token: int, most: int) -> list[str]:
        """Record a session. The least recently used ones beyond the two limits end; their digests are returned."""
        moment = now()
        table = self._sessions
        row = {
            "digest": digest_of(secret), "token": session.token, "origin": clipped(session.origin, 100),
            "created_at": stored(session.created_at), "used_at": stored(session.used_at),
            "expires_at": stored(session.expires_at),
        }  # fmt: skip
        with self._writing() as connection:
            connection.execute(table.delete().where(table.c.expires_at < stored(moment - ENDED_KEPT_FOR)))
            connection.execute(table.insert().values(row))
            open_now = table.c.ended_at.is_(None) & (table.c.digest != row["digest"])
            newest = sa.select(table.c.digest).order_by(table.c.used_at.desc(), table.c.created_at.desc())
            surplus = [
                *connection.execute(
                    newest.where(open_now & (table.c.token == session.token)).offset(most_of_token - 1)
                ),
                *connection.execute(newest.where(open_now).offset(most - 1)),
            ]
            ended = sorted({digest for (digest,) in surplus})
            self._end(connection, table.c.digest.in_(ended))
        return ended

    def panel_session(self, secret: str) -> PanelSession | None:
        """The session with this secret, open or not; None if there is none."""
        return self.panel_session_by_digest(digest_of(secret))

    def panel_session_by_digest(self, digest: str) -> PanelSession | None:
        with self._reading() as connection:
            row = (
                connection.execute(self._sessions.select().where(self._sessions.c.digest == digest)).mappings().first()
            )
        return _session_of(row) if row else None

    def open_panel_sessions(self) -> list[PanelSession]:
        """Those that were not ended, the last used first. Whether one has expired is not looked at."""
        table = self._sessions
        with self._reading() as connection:
            rows = connection.execute(
                table.select().where(table.c.ended_at.is_(None)).order_by(table.c.used_at.desc(), table.c.digest)
            )
            return [_session_of(row) for row in rows.mappings()]

    def panel_session_used(self, digest: str) -> None:
        with self._writing() as connection:
            mine = self._sessions.c.digest == digest
            connection.execute(self._sessions.update().where(mine).values(used_at=stored(now())))

    def end_panel_session(self, digest: str) -> None:
        with self._writing() as connection:
            self._end(connection, self._sessions.c.digest == digest)

    def _end(self, connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
        ending = self._sessions.update().where(which & self._sessions.c.ended_at.is_(None))
        connection.execute(ending.values(ended_at=stored(now())))


def _session_of(row: Any) -> PanelSession:  # Any: as above
    return PanelSession(
        digest=row["digest"],
        token=row["token"],
        origin=row["origin"],
        created_at=zoned(row["created_at"]),
        used_at=zoned(row["used_at"]),
        expires_at=zoned(row["expires_at"]),
        ended_at=zoned_if_any(row["ended_at"]),
    )

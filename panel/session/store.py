"""The panel's own database: the states of its sessions, by their ids."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from migrations.database import connect, current, head
from panel.session.asked import asked
from panel.session.conversation import Conversation
from panel.session.form import BROKEN, NotReadable, read, stored
from panel.session.found import Found, set_aside
from panel.session.state import SessionState
from panel.session.unavailable import StoreUnavailable as StoreUnavailable

KEPT_FOR = timedelta(days=7)
LONGEST_ID = 64
ANSWER_WITHIN_S = 10.0
"""The time limit of one answer of the database, also of a PostgreSQL that accepts connections and stays silent."""


class Store:
    """Session states in the database at `url`, whose tables the step migrate of the panel's deployment creates.

    Its methods block, for `answer_within_s` seconds at the most if the database does not answer: call them outside of
    the event loop. They raise StoreUnavailable.
    """

    def __init__(self, url: str, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._engine = connect(url, answer_within_s)
        self._sessions = sa.Table(
            "sessions",
            sa.MetaData(),
            sa.Column("id", sa.String, primary_key=True),
            sa.Column("saved_at", sa.DateTime),
            sa.Column("release", sa.String),
            sa.Column("state", sa.JSON),
        )

    def at_head(self) -> bool:
        """Whether the database is at the newest schema revision that this release knows, or at one of a newer release.

        On that it runs during a compatible migration and after a rollback; whether it can, the orchestrator decides.
        """
        with asked():
            return (current(self._engine) or "") >= head("panel")

    def save(self, session: str, state: SessionState) -> None:
        """Replace the session's state, and remove those that are older than KEPT_FOR."""
        moment = datetime.now(UTC).replace(tzinfo=None)
        table = self._sessions
        with asked(), self._engine.begin() as connection:
            connection.execute(table.delete().where((table.c.id == session) | (table.c.saved_at < moment - KEPT_FOR)))
            row = {"id": session, "saved_at": moment, "release": state.release, "state": stored(state)}
            connection.execute(table.insert().values(row))

    def load(self, session: str) -> Found:
        """The session's state. One that cannot be read is kept under another id, for as long as every other."""
        try:
            with asked(), self._engine.connect() as connection:
                query = self._sessions.select().where(self._sessions.c.id == session)
                row = connection.execute(query).mappings().first()
            return Found(read(row["state"]) if row else None)
        except (ValueError, RecursionError):  # of text that is no JSON
            return self._set_aside(session, BROKEN)
        except NotReadable as error:
            return self._set_aside(session, str(error))

    def _set_aside(self, session: str, why: str) -> Found:
        aside = f"{session[: LONGEST_ID - 9]}~{secrets.token_hex(4)}"
        moment = datetime.now(UTC).replace(tzinfo=None)
        table = self._sessions
        with asked(), self._engine.begin() as connection:
            connection.execute(table.update().where(table.c.id == session).values(id=aside, saved_at=moment))
        return set_aside(why, f"{aside} in the panel's database for {KEPT_FOR.days} days")

    def turns(self, session: str) -> Conversation:
        """The conversation of the session's person."""
        return Conversation(self._engine, session)

"""The conversation with the console in the panel's database: the table `conversation_history`."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from panel.session.asked import asked
from panel.session.turns import LONGEST_INPUT, LONGEST_RESPONSE, MOST_TURNS, Turn, bounded, timestamp

MOST_IN_ALL = 20_000
"""Turns of everybody; beyond it the oldest ones go."""


class Conversation:
    """The turns of one browser session's person. What was kept before anybody knew whose it is, such as by a release
    that had no persons, belongs to the session."""

    def __init__(self, engine: sa.Engine, session: str) -> None:
        self._engine = engine
        self._session = session
        self._table = sa.Table(
            "conversation_history",
            sa.MetaData(),
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("session", sa.String),
            sa.Column("person", sa.String),
            sa.Column("turn", sa.Integer),
            sa.Column("user_input", sa.Text),
            sa.Column("agent_response", sa.Text),
            sa.Column("timestamp", sa.Text),
            sa.Column("dashboard_state", sa.JSON),
        )

    def load(self, person: str) -> tuple[Turn, ...]:
        table = self._table
        newest = table.select().where(self._mine(person)).order_by(table.c.id.desc()).limit(MOST_TURNS)
        with asked(), self._engine.connect() as connection:
            rows = connection.execute(newest).mappings().all()
        return tuple(Turn(**{**row, "dashboard_state": _mapping(row["dashboard_state"])}) for row in reversed(rows))

    def begin(self, person: str, user_input: str, dashboard_state: dict[str, Any]) -> int:
        table = self._table
        row = {
            "session": self._session,
            "person": person,
            "user_input": user_input[:LONGEST_INPUT],
            "agent_response": "",
            "timestamp": timestamp(),
            "dashboard_state": bounded(dashboard_state),
        }
        with asked(), self._engine.begin() as connection:
            last = connection.scalar(sa.select(sa.func.max(table.c.turn)).where(self._mine(person))) or 0
            key = connection.execute(table.insert().values(**row, turn=last + 1)).inserted_primary_key
            assert key is not None  # of an insert of one row
            added = int(key[0])
            oldest_kept = (
                sa.select(table.c.id)
                .where(self._mine(person))
                .order_by(table.c.id.desc())
                .offset(MOST_TURNS - 1)
                .limit(1)
            ).scalar_subquery()
            too_old = (self._mine(person) & (table.c.id < oldest_kept)) | (table.c.id <= added - MOST_IN_ALL)
            connection.execute(table.delete().where(too_old))
        return added

    def answer(self, turn: int, response: str) -> None:
        table = self._table
        with asked(), self._engine.begin() as connection:
            kept = table.update().where(table.c.id == turn).values(agent_response=response[:LONGEST_RESPONSE])
            connection.execute(kept)

    def _mine(self, person: str) -> sa.ColumnElement[bool]:
        table = self._table
        of_session = (table.c.session == self._session) & (table.c.person == "")
        return (table.c.person == person) | of_session if person else of_session


def _mapping(state: Any) -> dict[str, Any]:  # Any: JSON, from any release
    return state if isinstance(state, dict) else {}

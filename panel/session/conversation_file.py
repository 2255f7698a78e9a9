"""The conversation with the console in a terminal: an SQLite file in the person's state folder, which they alone read.

Several terminals of a person use it at once. It needs the standard library alone: the command has no SQLAlchemy.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from panel.session.turns import LONGEST_INPUT, LONGEST_RESPONSE, MOST_TURNS, Turn, bounded, timestamp
from panel.session.unavailable import StoreUnavailable

NAME = "conversation.db"
ANSWER_WITHIN_S = 2.0
"""How long another terminal may write."""
_TABLE = """
CREATE TABLE IF NOT EXISTS conversation_history (
    id INTEGER PRIMARY KEY, orchestrator TEXT NOT NULL, person TEXT NOT NULL, turn INTEGER NOT NULL,
    user_input TEXT NOT NULL, agent_response TEXT NOT NULL, timestamp TEXT NOT NULL, dashboard_state TEXT NOT NULL
)"""
_MINE = "orchestrator = :orchestrator AND person = :person"


class ConversationFile:
    """The turns with one orchestrator, by its URL. A file that is none of SQLite's is set aside and begun anew."""

    def __init__(self, folder: Path, orchestrator: str) -> None:
        self._path = folder / NAME
        self._orchestrator = orchestrator

    def load(self, person: str) -> tuple[Turn, ...]:
        newest = f"SELECT * FROM conversation_history WHERE {_MINE} ORDER BY id DESC LIMIT {MOST_TURNS}"
        with self._opened() as file:
            rows = file.execute(newest, self._mine(person)).fetchall()
        return tuple(
            Turn(**{**dict(row), "dashboard_state": json.loads(row["dashboard_state"])}) for row in reversed(rows)
        )

    def begin(self, person: str, user_input: str, dashboard_state: dict[str, Any]) -> int:
        mine = self._mine(person)
        row = mine | {
            "user_input": user_input[:LONGEST_INPUT],
            "timestamp": timestamp(),
            "dashboard_state": json.dumps(bounded(dashboard_state)),
        }
        with self._opened() as file:
            file.execute("BEGIN IMMEDIATE")
            (last,) = file.execute(f"SELECT max(turn) FROM conversation_history WHERE {_MINE}", mine).fetchone()
            added = file.execute(
                "INSERT INTO conversation_history "
                "(orchestrator, person, turn, user_input, agent_response, timestamp, dashboard_state) "
                "VALUES (:orchestrator, :person, :turn, :user_input, '', :timestamp, :dashboard_state)",
                row | {"turn": (last or 0) + 1},
            ).lastrowid
            oldest = (
                f"SELECT id FROM conversation_history WHERE {_MINE} ORDER BY id DESC LIMIT 1 OFFSET {MOST_TURNS - 1}"
            )
            file.execute(f"DELETE FROM conversation_history WHERE {_MINE} AND id < ({oldest})", mine)
            file.execute("COMMIT")
        assert added is not None  # of an insert of one row
        return added

    def answer(self, turn: int, response: str) -> None:
        with self._opened() as file:
            kept = "UPDATE conversation_history SET agent_response = ? WHERE id = ?"
            file.execute(kept, (response[:LONGEST_RESPONSE], turn))

    def _mine(self, person: str) -> dict[str, str]:
        return {"orchestrator": self._orchestrator, "person": person}

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connected()) as file:
                yield file
        except (OSError, sqlite3.Error, ValueError) as error:
            raise StoreUnavailable(f"{self._path} cannot be used: {error}.") from error

    def _connected(self) -> sqlite3.Connection:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives the files beside it the same mode.
        os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        try:
            return self._prepared()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            self._path.replace(self._path.with_suffix(".broken"))
            return self._connected()

    def _prepared(self) -> sqlite3.Connection:
        file = sqlite3.connect(self._path, timeout=ANSWER_WITHIN_S, isolation_level=None)
        file.row_factory = sqlite3.Row
        try:
            file.execute(_TABLE)
        except sqlite3.Error:
            file.close()
            raise
        return file

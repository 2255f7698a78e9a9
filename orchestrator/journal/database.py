"""The journal's database: its tables, and transactions on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from migrations.database import READ_ONLY, connect, current
from orchestrator.journal.errors import explain


class Database:
    """A connection pool for `url`. The tables are read by `_read_tables`, when the schema is up to date.

    Each noun of the journal has a class of its own, with its queries, in a file of its own. It inherits this one, and
    `Journal` (store.py) inherits all of them. A query runs in `_writing` or in `_reading`.
    """

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        sa.event.listen(self._engine, "handle_error", explain)

    @property
    def backend(self) -> str:
        """The name of the database for people: SQLite or PostgreSQL."""
        return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(
            self._engine.dialect.name, self._engine.dialect.name
        )

    @property
    def schema(self) -> str:
        return current(self._engine) or ""

    def close(self) -> None:
        """Close all connections. An SQLite journal is a single file then."""
        self._engine.dispose()

    def _read_tables(self) -> None:
        # The migrations define the tables; their columns are read from the database, not repeated here.
        schema = sa.MetaData()
        schema.reflect(self._engine)
        tables = schema.tables
        self._deployments, self._steps, self._slots = tables["deployments"], tables["steps"], tables["slots"]
        self._events, self._tokens, self._audit = tables["events"], tables["tokens"], tables["audit"]
        self._migrations, self._unsettled = tables["migrations"], tables["unsettled"]
        self._sessions = tables["panel_sessions"]

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        """A transaction that is committed, and on the disk, when the block ends."""
        with self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        """A transaction that takes no write lock, so that it waits for no writer and no writer waits for it."""
        with self._engine.connect().execution_options(**{READ_ONLY: True}) as connection:
            yield connection

"""Where the shop keeps its orders: SQLite in its data volume, or the PostgreSQL server that SHOP_DATABASE_URL names."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

URL = os.environ.get("SHOP_DATABASE_URL", "sqlite:////data/shop.db")
ON_SQLITE = URL.startswith("sqlite:")
if ON_SQLITE:
    Error: type[Exception] = sqlite3.Error
else:
    import psycopg

    Error = psycopg.Error
VALUE = "?" if ON_SQLITE else "%s"
"""How a statement says where a value goes."""


def connect() -> Any:  # Any: a connection of sqlite3 or of psycopg; both can execute
    """In autocommit."""
    if not ON_SQLITE:
        return psycopg.connect(URL, autocommit=True)
    # Two releases write at the same time while one takes over from the other: WAL and a busy timeout allow it.
    database = sqlite3.connect(URL.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    return database


def engine() -> Engine:
    """For migrations: what one does is one transaction, on SQLite too, whose driver would commit in between."""
    from sqlalchemy import create_engine, event

    made = create_engine(URL if ON_SQLITE else URL.replace("postgresql:", "postgresql+psycopg:", 1))
    if ON_SQLITE:

        @event.listens_for(made, "connect")
        def autocommit(connection: sqlite3.Connection, _record: object) -> None:
            connection.isolation_level = None
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA busy_timeout=10000")

        @event.listens_for(made, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return made

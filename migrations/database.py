"""Connections on which a whole schema change is one transaction, on SQLite too."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

BUSY_TIMEOUT_MS = 10_000


def connect(url: str) -> sa.Engine:
    """An engine for `url`.

    On SQLite the driver is put into autocommit and SQLAlchemy says BEGIN IMMEDIATE itself: the driver's own implicit
    transactions would commit before every DDL statement (SQLAlchemy, "Pysqlite: serializable isolation, savepoints
    and transactional DDL").
    """
    engine = sa.create_engine(url)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine, "connect")
        def _take_over_transactions(connection: sqlite3.Connection, _record: object) -> None:
            connection.isolation_level = None
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                f"busy_timeout={BUSY_TIMEOUT_MS}",
                "foreign_keys=ON",
            ):
                connection.execute(f"PRAGMA {pragma}")

        @sa.event.listens_for(engine, "begin")
        def _begin(connection: sa.Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def upgrade(home: str, engine: sa.Engine, revision: str = "head") -> None:
    """Run all pending revisions of `home` ("orchestrator" or "panel") up to `revision`, in one transaction."""
    with engine.begin() as connection:
        command.upgrade(_alembic(home, connection), revision)


def downgrade(home: str, engine: sa.Engine, revision: str) -> None:
    """Take revisions of `home` back down to `revision`, in one transaction."""
    with engine.begin() as connection:
        command.downgrade(_alembic(home, connection), revision)


def current(engine: sa.Engine) -> str | None:
    """The revision that the database stands at; None for one that was never migrated."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head(home: str) -> str | None:
    """The newest revision that this code knows."""
    return ScriptDirectory.from_config(_alembic(home, None)).get_current_head()


def _alembic(home: str, connection: sa.Connection | None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / home))
    config.attributes["connection"] = connection
    return config

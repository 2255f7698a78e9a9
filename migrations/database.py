"""Database connections on which a schema change is one transaction, also on SQLite."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import sqlalchemy as sa

BUSY_TIMEOUT_MS = 10_000
READ_ONLY = "read_only"
"""The execution option of a connection whose transactions only read: on SQLite they take no write lock."""
BASE = "base"
"""Alembic's name for a database without any revision."""


def connect(url: str, answer_within_s: float | None = None) -> sa.Engine:
    """An SQLAlchemy engine for `url`.

    A PostgreSQL server that does not answer a query or a connection within `answer_within_s` seconds fails it with an
    OperationalError, also if it accepts connections and is silent.

    On SQLite, the driver uses autocommit and SQLAlchemy sends BEGIN IMMEDIATE, because the driver's implicit
    transactions commit before every DDL statement (SQLAlchemy, "Pysqlite: serializable isolation, savepoints and
    transactional DDL").
    """
    engine = sa.create_engine(_with_driver(url), pool_pre_ping=True, hide_parameters=True)
    if engine.dialect.name == "postgresql" and answer_within_s is not None:
        from migrations.punctual_connection import punctual  # loads psycopg, which SQLite does not need

        sa.event.listen(engine, "do_connect", punctual(answer_within_s))
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
            reads = connection.get_execution_options().get(READ_ONLY)
            connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def _with_driver(url: str) -> str:
    """Replace `postgresql://` and `postgres://` by the URL scheme of the installed driver."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+psycopg://{rest}" if scheme in ("postgresql", "postgres") else url


def current(engine: sa.Engine) -> str | None:
    """The schema revision of the database; None if it was never migrated."""
    if not sa.inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()


def head(home: str) -> str:
    """The newest schema revision in this code, from the file names, which begin with the revision.

    Alembic is not used for this, because loading it takes 11 MB and 0.2 s.
    """
    return max(known(home))


def known(home: str) -> set[str]:
    """Every schema revision in this code."""
    return {file.name.split("_")[0] for file in (home_folder(home) / "versions").glob("[0-9]*_*.py")}


def home_folder(home: str) -> Path:
    """The folder of the Alembic environment and schema revisions of `home`: "orchestrator" or "panel"."""
    return Path(__file__).parent / home

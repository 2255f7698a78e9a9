"""All pending revisions in one transaction, on SQLite too: the driver in autocommit, BEGIN IMMEDIATE said here."""

import os
import sqlite3

import sqlalchemy as sa
from alembic import context

engine = sa.create_engine("sqlite:///" + os.environ.get("SHOP_DATABASE", "/data/shop.db"))


@sa.event.listens_for(engine, "connect")
def autocommit(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA busy_timeout=10000")


@sa.event.listens_for(engine, "begin")
def begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


with engine.connect() as connection:
    context.configure(connection=connection, transactional_ddl=True, transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()

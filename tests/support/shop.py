"""The example shop, running: what most tests deploy to, on SQLite or on PostgreSQL."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.in_container import printed_in
from tests.support.paths import ROOT
from tests.support.postgres import Postgres, gateway
from tests.support.repository import Repository
from tests.support.stack import MIGRATE, NO_APPS, Stack, shop_config

DATABASES = ("sqlite", "postgresql")
READ_SQLITE = """
import json, sqlite3
database = sqlite3.connect("file:/data/shop.db?mode=ro", uri=True)
tables = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
orders = [row[0] for row in database.execute("SELECT id FROM orders")]
revision = database.execute("SELECT version_num FROM alembic_version").fetchone()[0]
check = database.execute("PRAGMA integrity_check").fetchone()[0]
print(json.dumps({"tables": tables, "orders": orders, "revision": revision, "check": check}))
"""
TABLES = "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"


@dataclass(frozen=True)
class Contents:
    """What is in a shop's database: tables as it describes them, the orders, and the schema's revision."""

    tables: list[tuple[str, ...]]
    orders: frozenset[str]
    revision: str


@dataclass
class Shop:
    """A running Changeover with the shop, and the repository that the shop is deployed from.

    Its data is in the SQLite file of its volume, or on a server where `postgres_url` is not empty.
    """

    stack: Stack
    repository: Repository
    config: str
    postgres_url: str = ""

    @property
    def name(self) -> str:
        return self.stack.app_name

    def deployed(self) -> str:
        """Make sure that a good release is live; gives its version."""
        active = self.stack.app()["active"]
        if active is None:
            live = self.stack.deploy()
            assert live["state"] == "live", live["failure"]
            active = self.stack.app()["active"]
        return str(active["version"])

    def contents(self) -> Contents:
        """As its owner would look; SQLite's own check of the file included."""
        return in_postgresql(self.postgres_url) if self.postgres_url else self._in_sqlite()

    def _in_sqlite(self) -> Contents:
        found = json.loads(printed_in(self.stack.app()["active"]["container"], "python", "-c", READ_SQLITE))
        assert found["check"] == "ok"
        return Contents([tuple(row) for row in found["tables"]], frozenset(found["orders"]), found["revision"])


def in_postgresql(url: str) -> Contents:
    with psycopg.connect(url) as connection:
        tables = sorted(connection.execute(TABLES).fetchall())
        orders = frozenset(str(row[0]) for row in connection.execute("SELECT id FROM orders"))
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert row is not None
    return Contents(tables, orders, str(row[0]))


@contextmanager
def open_shop(
    folder: Path,
    postgres: Postgres | None = None,
    *,
    migrate: str = MIGRATE,
    environment: dict[str, str] | None = None,
) -> Iterator[Shop]:
    """On a stack of its own; nothing is deployed yet. With its data on that server, where one is given.

    `environment` is for the orchestrator.
    """
    repository, config, url = _written("shop", folder, postgres, migrate)
    with Stack(folder, config, environment=environment) as stack:
        yield Shop(stack, repository, config, url)


@contextmanager
def another_shop(
    stack: Stack, folder: Path, postgres: Postgres | None = None, *, migrate: str = MIGRATE
) -> Iterator[Shop]:
    """The only app of a stack that runs already, under a new name; afterwards the stack is without it again."""
    name = f"shop{secrets.token_hex(2)}"
    repository, config, url = _written(name, folder, postgres, migrate)
    stack.set_config(config)
    stack.app_name = name
    try:
        yield Shop(stack, repository, config, url)
    finally:
        stack.restart_orchestrator_if_killed()
        stack.set_config(NO_APPS)
        stack.remove_app(name)


def _written(name: str, folder: Path, postgres: Postgres | None, migrate: str) -> tuple[Repository, str, str]:
    """The repository, the configuration, and where this machine finds the database: nowhere if it is in the volume."""
    repository = Repository(folder / "repository", ROOT / "examples" / "shop")
    own_url = shop_url = ""
    if postgres:
        database = postgres.create()
        own_url, shop_url = postgres.url(database), postgres.url(database, gateway("bridge"))
        repository.replace("Dockerfile", "python3-venv", "python3-venv postgresql-client")
        repository.commit("build: the server's own tools")
    config = shop_config(repository.path, name=name, drain_s=1, migrate=migrate, postgres_url=shop_url)
    return repository, config, own_url

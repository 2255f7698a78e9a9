"""The restore commands of the documentation leave a PostgreSQL database as it was when it was dumped."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.support import guide
from tests.support.paths import ROOT
from tests.support.postgres import Postgres
from tests.support.stack import ON_POSTGRESQL

DOCS = ROOT / "docs"
RESTRICTED = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)
"""A key that pg_dump makes anew each time."""


@dataclass(frozen=True)
class Commands:
    dump: str
    restore: str


def of_section(text: str) -> Commands:
    found: dict[str, str] = yaml.safe_load(text)["backup"]
    return Commands(found["dump"], found["restore"])


def of_app(text: str) -> Commands:
    return of_section(yaml.safe_dump(yaml.safe_load(text)["apps"]["notes"]))


def of_the_guide() -> Commands:
    return of_app(guide.read(DOCS / "guides" / "postgresql.md").configuration)


def of_the_page_of_migrations() -> Commands:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", (DOCS / "migrations.md").read_text(), re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if "psql" in block]
    return of_app(found)


def of_the_page_of_keys() -> Commands:
    rows = (DOCS / "configuration.md").read_text().splitlines()
    dump, restore = (next(row for row in rows if row.startswith(f"| `backup.{key}` |")) for key in ("dump", "restore"))
    return Commands(*(row.rsplit(" | ", 1)[1].removesuffix(" |").strip("`") for row in (dump, restore)))


def of_the_stacks_of_tests() -> Commands:
    return of_section(f"    {ON_POSTGRESQL.format(url='unused')}")


PLACES = (of_the_guide, of_the_page_of_migrations, of_the_page_of_keys, of_the_stacks_of_tests)


@pytest.fixture(params=["superuser", "owner"])
def url(request: pytest.FixtureRequest, postgres: Postgres) -> str:
    """A database, as the superuser or as its owner, which is what an app should be."""
    name = postgres.create()
    url = postgres.url(name)
    if request.param == "superuser":
        return url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'".encode())
        connection.execute(f"ALTER DATABASE {name} OWNER TO {name}".encode())
    return url.replace(f"changeover:{postgres.password}@", f"{name}:secret@")


@pytest.mark.parametrize("commands", PLACES, ids=lambda place: place.__name__)
def test_after_a_restore_the_database_is_dumped_as_it_was(
    commands: Callable[[], Commands], url: str, tmp_path: Path
) -> None:
    told = commands()
    execute(url, "CREATE TABLE notes (id bigserial PRIMARY KEY, says text)", "INSERT INTO notes (says) VALUES ('one')")
    before = dumped(told, url, tmp_path / "before")
    execute(url, "INSERT INTO notes (says) VALUES ('two')", "CREATE TABLE newer (id int)", "DROP TABLE notes")

    carried_out(told.restore, url, tmp_path / "before")

    assert dumped(told, url, tmp_path / "after") == before


def test_a_restore_that_fails_changes_nothing_and_says_so(url: str, tmp_path: Path) -> None:
    told = of_the_guide()
    execute(url, "CREATE TABLE notes (id int)")
    before = dumped(told, url, tmp_path / "before")
    with (tmp_path / "before" / "notes.sql").open("a") as file:
        file.write("SELECT nonsense;\n")

    with pytest.raises(subprocess.CalledProcessError):
        carried_out(told.restore, url, tmp_path / "before")

    assert dumped(told, url, tmp_path / "after") == before


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def dumped(told: Commands, url: str, folder: Path) -> str:
    folder.mkdir()
    carried_out(told.dump, url, folder)
    (file,) = folder.iterdir()
    return RESTRICTED.sub("", file.read_text())


def carried_out(command: str, url: str, folder: Path) -> None:
    """As in a sidecar."""
    known = {"DATABASE_URL": url, "SHOP_DATABASE_URL": url, "CHANGEOVER_DUMP": str(folder)}
    subprocess.run(shlex.split(command), env=os.environ | known, check=True, capture_output=True, timeout=60)

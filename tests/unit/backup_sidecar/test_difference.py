"""What a migration left is found by comparing the data with the backup made before it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.backup_sidecar import archive, restore
from orchestrator.backup_sidecar.difference import Difference, compare
from orchestrator.backup_sidecar.pace import Pace

PACE = Pace(gently=False)
DJANGO = """
CREATE TABLE django_migrations (id INTEGER PRIMARY KEY, app TEXT, name TEXT);
INSERT INTO django_migrations (app, name) VALUES ('shop', '0001'), ('shop', '0002');
CREATE TABLE orders (id INTEGER PRIMARY KEY, item TEXT);
INSERT INTO orders (item) VALUES ('tea');
"""
DUMP = """--
-- PostgreSQL database dump
--
\\restrict abc
SET statement_timeout = 0;
CREATE TABLE public.orders (
    id integer NOT NULL
);
CREATE TABLE public.django_migrations (
    name text
);
COPY public.orders (id) FROM stdin;
1
\\.
COPY public.django_migrations (name) FROM stdin;
0001
\\.
SELECT pg_catalog.setval('public.orders_id_seq', 1, true);
"""


def changed(statement: str) -> Callable[[Path, Path], None]:
    def change(data: Path, _dump: Path) -> None:
        with closing(sqlite3.connect(data / "shop.db")) as database:
            database.executescript(statement)

    return change


def dumped(old: str, new: str) -> Callable[[Path, Path], None]:
    def change(_data: Path, dump: Path) -> None:
        text = (dump / "shop.sql").read_text()
        assert old in text
        (dump / "shop.sql").write_text(text.replace(old, new))

    return change


def upload(data: Path, _dump: Path) -> None:
    (data / "photo.jpg").write_bytes(b"\xff\xd8")


def nothing(_data: Path, _dump: Path) -> None:
    return None


@pytest.mark.parametrize(
    ("change", "structure", "content"),
    [
        (nothing, (), ()),
        (changed("INSERT INTO orders (item) VALUES ('milk')"), (), ("data/shop.db",)),
        (changed("VACUUM; PRAGMA journal_mode=WAL"), (), ()),
        (changed("CREATE TABLE receipts (id INTEGER)"), ("data/shop.db",), ("data/shop.db",)),
        (changed("ALTER TABLE orders RENAME COLUMN item TO what"), ("data/shop.db",), ("data/shop.db",)),
        (changed("PRAGMA user_version=3"), ("data/shop.db",), ("data/shop.db",)),
        # A migration that changes rows alone is on record in the tool's own table.
        (changed("INSERT INTO django_migrations (app, name) VALUES ('shop', '0003')"), ("data/shop.db",),
         ("data/shop.db",)),
        (upload, (), ("data/photo.jpg",)),
        (dumped("-- PostgreSQL database dump", "-- Another moment"), (), ()),
        (dumped("\\restrict abc", "\\restrict xyz"), (), ()),
        (dumped("COPY public.orders (id) FROM stdin;\n1", "COPY public.orders (id) FROM stdin;\n1\n2"), (),
         ("dump/shop.sql",)),
        (dumped("id integer NOT NULL", "id bigint NOT NULL"), ("dump/shop.sql",), ("dump/shop.sql",)),
        (dumped("\n0001\n", "\n0001\n0002\n"), ("dump/shop.sql",), ("dump/shop.sql",)),
    ],
)  # fmt: skip
def test_what_a_migration_committed_is_told_from_what_the_app_wrote(
    change: Callable[[Path, Path], None], structure: tuple[str, ...], content: tuple[str, ...], tmp_path: Path
) -> None:
    data, dump, backup = tmp_path / "data", tmp_path / "dump", tmp_path / "backup"
    for folder in (data, dump):
        folder.mkdir()
    with closing(sqlite3.connect(data / "shop.db")) as database:
        database.executescript(DJANGO)
    (data / "settings.json").write_text("{}")
    (dump / "shop.sql").write_text(DUMP)
    roots = {archive.DATA: data, archive.DUMP: dump}
    archive.create(roots, backup, PACE, backup="b", app="shop", version="", revision="", reason="")

    change(data, dump)

    assert compare(backup, roots, PACE) == Difference(("data/shop.db", "dump/shop.sql"), structure, content)


def test_a_comparison_undoes_no_restore_that_is_under_way(tmp_path: Path) -> None:
    """It only reads: what it would take for an interrupted restore may be one that runs beside it."""
    data, backup = tmp_path / "data", tmp_path / "backup"
    data.mkdir()
    (data / "old").write_text("old")
    archive.create({archive.DATA: data}, backup, PACE, backup="b", app="shop", version="", revision="", reason="")
    for name in (restore.FRESH, restore.PUT_ASIDE):
        (data / name).mkdir()
    (data / "old").rename(data / restore.PUT_ASIDE / "old")
    (data / restore.FRESH / "new").write_text("new")

    compare(backup, {archive.DATA: data}, PACE)

    assert sorted(path.name for path in data.rglob("*")) == [restore.PUT_ASIDE, restore.FRESH, "new", "old"]

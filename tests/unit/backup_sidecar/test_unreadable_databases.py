"""Databases that SQLite, or this version of it, cannot read: none keeps an app's data from being backed up, compared
and put back."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.backup_sidecar import __main__ as sidecar
from orchestrator.backup_sidecar import archive, copied_file, copy, restore
from orchestrator.backup_sidecar.catalogue import NOT_SUITABLE
from orchestrator.backup_sidecar.copied_file import LONGEST_PATH
from orchestrator.backup_sidecar.copy import extents
from orchestrator.backup_sidecar.difference import Difference, compare
from orchestrator.backup_sidecar.manifest import Manifest, Unsuitable
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.files.beneath import Folder

PACE = Pace(gently=False)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def back_up(data: Path, name: str = "backup") -> Manifest:
    roots, folder = {"data": data}, data.parent / name
    return archive.create(roots, folder, PACE, backup="b", app="shop", version="v1", revision="abc", reason="test")


def made(path: Path, *statements: str, mode: str = "DELETE") -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(f"PRAGMA journal_mode={mode}")
    for statement in ("CREATE TABLE orders (id INTEGER, item TEXT)", *statements):
        database.execute(statement)
    return database


def with_bytes(at: int, content: bytes, mode: str) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        made(path, mode=mode).close()
        with path.open("r+b") as file:
            os.pwrite(file.fileno(), content, at)

    return make


# https://sqlite.org/fileformat.html: the versions of the file are at 18 and 19, that of its schema at 44.
OF_ANOTHER_VERSION = {
    "schema": with_bytes(44, struct.pack(">I", 9), "DELETE"),
    "schema, with a log": with_bytes(44, struct.pack(">I", 9), "WAL"),
    "reading": with_bytes(18, b"\3\3", "WAL"),
    "writing": with_bytes(18, b"\3\2", "WAL"),
    "encoding": with_bytes(56, struct.pack(">I", 7), "DELETE"),
}


@pytest.mark.parametrize("what", OF_ANOTHER_VERSION)
def test_a_file_that_this_sqlite_cannot_read_stops_no_backup(data: Path, what: str) -> None:
    """A stranger may send it to the app: no release could be deployed any more."""
    path = data / "upload"
    OF_ANOTHER_VERSION[what](path)
    content = path.read_bytes()

    (entry,) = back_up(data).files
    same = compare(data.parent / "backup", {"data": data}, PACE)
    back_up(data, "again")
    path.unlink()
    restore.restore(data.parent / "backup", {"data": data})

    assert (entry.sqlite, path.read_bytes()) == (False, content)
    assert same == Difference((), (), ())


@pytest.mark.parametrize("end", ["-wal", "-journal"])
@pytest.mark.parametrize("mode", ["DELETE", "WAL"])
@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_stands_in_the_place_of_a_journal_stops_no_backup(
    data: Path, end: str, mode: str, make: Callable[[Path], None]
) -> None:
    """SQLite opens no such database: 'disk I/O error', for which the place of the backups was blamed, or 'unable to
    open database file'. A pipe it waits for without end. Whoever may make a folder kept all releases from being
    deployed."""
    path = data / "uploads"
    made(path, mode=mode).close()
    content = path.read_bytes()
    make(Path(f"{path}{end}"))

    (entry,) = back_up(data).files
    same = compare(data.parent / "backup", {"data": data}, PACE)

    assert (entry.path, entry.sqlite) == ("data/uploads", False)
    assert path.read_bytes() == content
    assert make is os.mkfifo or same == Difference((), (), ()), "a pipe is not put back, and then it is a database"


class WhileCopied(Pace):
    """Does something in every pause of the copying."""

    def __init__(self, does: Callable[[], object]) -> None:
        super().__init__(gently=False)
        self._does = does

    def rest(self) -> None:
        self._does()


def copied(data: Path, does: Callable[[], object]) -> copied_file.CopiedFile:
    with Folder.open(data) as root:
        return copied_file.copy_of(root, "upload", data.parent / "copy", WhileCopied(does), None)


def test_an_upload_that_goes_on_while_it_is_copied_stops_no_backup(data: Path) -> None:
    """However slowly a stranger sent a file that began as a database, no release could be deployed meanwhile."""
    path = data / "upload"
    path.write_bytes(b"SQLite format 3\0" + b"x" * 300_000)

    def goes_on() -> None:
        with path.open("ab") as file:
            file.write(b"y")

    assert not copied(data, goes_on).is_database
    assert path.read_bytes().startswith((data.parent / "copy").read_bytes())


@pytest.mark.parametrize(("often", "is_copied"), [(1, True), (1000, False)])
def test_what_is_written_over_while_it_is_copied_is_copied_again_or_refused(
    data: Path, often: int, is_copied: bool
) -> None:
    """A mixture of two moments must not be kept as if it were a database of a version to come."""
    path, writes = data / "upload", iter(range(often))
    path.write_bytes(b"SQLite format 3\0" + b"x" * 300_000)

    def writes_over() -> None:
        if (number := next(writes, None)) is not None:
            with path.open("r+b") as file:
                os.pwrite(file.fileno(), number.to_bytes(4, "big"), 24)

    if is_copied:
        copied(data, writes_over)
        assert (data.parent / "copy").read_bytes() == path.read_bytes()
    else:
        with pytest.raises(sqlite3.DatabaseError, match="SQLite cannot copy the database 'upload'"):
            copied(data, writes_over)


def test_a_log_that_gets_rows_while_the_file_is_copied_is_not_left_out(data: Path) -> None:
    (data / "upload").write_bytes(b"SQLite format 3\0" + b"x" * 300_000)

    made = copied(data, lambda: (data / "upload-wal").write_bytes(b"rows"))

    assert list(made.companions) == ["-wal"]
    assert (data.parent / "copy-wal").read_bytes() == b"rows"


@pytest.mark.parametrize("end", ["", "-wal"])
def test_a_log_of_another_moment_than_its_file_is_no_backup(data: Path, end: str) -> None:
    (data / "upload").write_bytes(b"SQLite format 3\0" + b"x" * 300_000)
    (data / "upload-wal").write_bytes(b"rows" * 100_000)
    numbers = iter(range(100_000))

    with (data / f"upload{end}").open("r+b") as file:

        def writes_over() -> None:
            os.pwrite(file.fileno(), next(numbers).to_bytes(4, "big"), 24)

        with pytest.raises(sqlite3.DatabaseError, match="SQLite cannot copy the database 'upload'"):
            copied(data, writes_over)


def text_that_is_no_utf_8(path: Path) -> None:
    made(path, "INSERT INTO orders VALUES (1, CAST(x'636f6c64ff80' AS TEXT))").close()


def schema_that_is_no_utf_8(path: Path) -> None:
    change = "UPDATE sqlite_master SET sql = sql || CAST(x'202d2dff' AS TEXT)"
    made(path, "PRAGMA writable_schema = 1", change).close()


def column_computed_by_the_app(path: Path) -> None:
    with closing(made(path)) as database:
        database.create_function("ours", 1, lambda value: value, deterministic=True)
        database.execute("CREATE TABLE prices (net INTEGER, gross AS (ours(net)))")
        database.execute("INSERT INTO prices VALUES (1)")


def order_of_the_app_alone(path: Path) -> None:
    with closing(made(path)) as database:
        database.create_collation("ours", lambda one, other: (one > other) - (one < other))
        database.execute("CREATE TABLE names (name TEXT COLLATE ours PRIMARY KEY) WITHOUT ROWID")
        database.execute("INSERT INTO names VALUES ('Ann')")


def index_by_another_lower(path: Path) -> None:
    """Such as that of ICU."""
    with closing(made(path, "INSERT INTO orders VALUES (1, 'Tea')")) as database:
        database.create_function("lower", 1, lambda text: f"~{text}", deterministic=True)
        database.execute("CREATE INDEX by_item ON orders (lower(item))")


def rule_that_came_after_the_rows(path: Path) -> None:
    change = "UPDATE sqlite_master SET sql = 'CREATE TABLE orders (id INTEGER NOT NULL, item TEXT)'"
    made(path, "INSERT INTO orders VALUES (NULL, 'tea')", "PRAGMA writable_schema = 1", change).close()


def damaged_table(path: Path) -> None:
    made(path, *(f"INSERT INTO orders VALUES ({number}, '{'x' * 500}')" for number in range(50))).close()
    with path.open("r+b") as file:
        os.pwrite(file.fileno(), b"\xff" * 200, 2 * 4096)


APPS_RUN_ON = [
    text_that_is_no_utf_8, schema_that_is_no_utf_8, column_computed_by_the_app, order_of_the_app_alone,
    index_by_another_lower, rule_that_came_after_the_rows, damaged_table,
]  # fmt: skip


@pytest.mark.parametrize("make", APPS_RUN_ON)
def test_a_database_on_which_an_app_runs_is_compared_and_comes_back(data: Path, make: Callable[[Path], None]) -> None:
    """SQLite finds errors in it, as it did before: the backup is not damaged, and is the way back."""
    make(data / "shop.db")
    content = (data / "shop.db").read_bytes()
    back_up(data)

    archive.verify(data.parent / "backup", PACE)
    same = compare(data.parent / "backup", {"data": data}, PACE)
    with closing(sqlite3.connect(data / "shop.db")) as database, database:
        database.execute("CREATE TABLE made_by_a_migration (id INTEGER)")
    other = compare(data.parent / "backup", {"data": data}, PACE)
    restore.restore(data.parent / "backup", {"data": data})

    names = ("data/shop.db",)
    assert same == Difference(names, (), ())
    assert other == Difference(names, names, names)
    assert len((data / "shop.db").read_bytes()) == len(content)


@pytest.mark.parametrize("length", [LONGEST_PATH, 475])
def test_a_database_counts_as_the_same_however_deep_it_is(tmp_path: Path, length: int) -> None:
    """The path of its unpacked backup was too long for SQLite: it was called damaged, or changed by a migration."""
    rest = length - len("/shop.db")
    made(tmp_path / "shop.db").close()
    with tempfile.TemporaryDirectory() as short:  # tmp_path is long itself
        data = Path(short) / "data"
        folder = data.joinpath(*["f" * min(200, rest - at) for at in range(0, rest, 201)])
        folder.mkdir(parents=True)
        shutil.copy(tmp_path / "shop.db", folder)
        back_up(data)

        assert compare(data.parent / "backup", {"data": data}, PACE).content == ()
        restore.restore(data.parent / "backup", {"data": data})


def test_a_database_that_stays_locked_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (copy, copied_file):
        monkeypatch.setattr(module, "LOCKED_FOR_S", 0.05)
    with closing(made(data / "shop.db", "BEGIN EXCLUSIVE")), pytest.raises(sqlite3.OperationalError) as told:
        back_up(data)

    assert str(told.value).startswith("the database 'shop.db' stayed locked for 0.05 s, so that it cannot be copied.")


def test_the_sidecar_tells_a_cause_in_the_data_apart_and_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuses(_asked: object) -> object:
        raise Unsuitable("'a\nb' is not suitable.")

    monkeypatch.setattr(sidecar, "carry_out", refuses)
    monkeypatch.setattr(sys, "argv", ["backup_sidecar", "create"])

    assert sidecar.main() == NOT_SUITABLE
    assert capsys.readouterr().out == "'a b' is not suitable.\n"


def test_what_an_app_writes_behind_the_end_that_a_file_had_is_no_part_of_it(tmp_path: Path) -> None:
    with (tmp_path / "growing").open("w+b") as file:
        os.pwrite(file.fileno(), b"x", 2**20)
        assert list(extents(file.fileno(), 4096)) == []

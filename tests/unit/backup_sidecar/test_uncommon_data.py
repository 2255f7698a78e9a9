"""Data that apps really have, and that few think of: it is backed up, it comes back, and it blocks nothing."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from orchestrator.backup_sidecar import archive, restore
from orchestrator.backup_sidecar.copy import CHUNK
from orchestrator.backup_sidecar.difference import Difference, compare
from orchestrator.backup_sidecar.manifest import MOST_NAMED, DamagedBackup, Manifest, Summary
from orchestrator.backup_sidecar.pace import Pace

PACE = Pace(gently=False)
MIB = 2**20


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def back_up(data: Path) -> Manifest:
    roots, folder = {"data": data}, data.parent / "backup"
    return archive.create(roots, folder, PACE, backup="b", app="shop", version="v1", revision="abc", reason="test")


def put_back(data: Path) -> None:
    restore.restore(data.parent / "backup", {"data": data})


def as_answered(answer: Manifest | Difference) -> Summary | Difference:
    """What the orchestrator reads of it."""
    if isinstance(answer, Difference):
        return TypeAdapter(Difference).validate_python(json.loads(json.dumps(asdict(answer))))
    return TypeAdapter(Summary).validate_python(json.loads(json.dumps(asdict(answer.summary))))


def test_a_file_with_a_little_data_in_each_part_comes_back(data: Path) -> None:
    """Such as those of databases that map a large file: every part that was read had data, and none was a hole."""
    table = data / "table"
    with table.open("wb") as file:
        for at in range(0, 16 * MIB, CHUNK):
            os.pwrite(file.fileno(), b"row", at + 5000)
        file.truncate(16 * MIB)
    content = table.read_bytes()
    (entry,) = back_up(data).files
    assert entry.holes > 12 * MIB, "this file system has no holes"
    table.unlink()

    put_back(data)

    assert table.read_bytes() == content
    assert table.stat().st_blocks * 512 < 4 * MIB


def test_a_manifest_that_lies_about_holes_is_still_found_out(data: Path) -> None:
    (data / "table").write_bytes(b"row" * MIB)
    back_up(data)
    path = data.parent / "backup" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["files"][0]["holes"] = 2 * MIB
    path.write_text(json.dumps(manifest))

    with pytest.raises(DamagedBackup, match="fewer holes than the manifest says"):
        put_back(data)


NAMES = [b"\xff\xfe", b"a\nb", b"a\x1b[2Jb", b"tab\there", b" ", b"-rf", b"\xe2\x80\xae", "ü".encode(), b"x" * 255]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_any_bytes_and_a_time_before_1970_come_back(data: Path, name: bytes) -> None:
    folder = os.path.join(os.fsencode(data), name)
    os.mkdir(folder)
    file = os.path.join(folder, name)
    with open(file, "wb") as written:
        written.write(name)
    os.symlink(name, os.path.join(folder, b"link"))
    with closing(sqlite3.connect(os.path.join(folder, b"db" + name[:20]))) as database, database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('0001')")
    os.utime(file, (-86400.5, -86400.5))
    made = back_up(data)
    os.unlink(file)

    differs = compare(data.parent / "backup", {"data": data}, PACE)
    put_back(data)

    assert os.stat(file).st_mtime == -86400.5
    assert os.readlink(os.path.join(folder, b"link")) == name
    with open(file, "rb") as read:
        assert read.read() == name
    known, differences = as_answered(made), as_answered(differs)
    assert isinstance(known, Summary)
    assert isinstance(differences, Difference)
    assert list(known.schemas.values()) == ["0001"]
    assert len(differences.content) == 1


def test_an_answer_is_short_however_many_files_there_are(data: Path) -> None:
    for number in range(3 * MOST_NAMED):
        (data / f"file{number}").touch()
        (data / f"link{number}").symlink_to("/etc/passwd")
    made = back_up(data)
    for number in range(3 * MOST_NAMED):
        (data / f"file{number}").write_text("changed")

    known, differs = as_answered(made), as_answered(compare(data.parent / "backup", {"data": data}, PACE))

    assert isinstance(known, Summary)
    assert isinstance(differs, Difference)
    assert known.files == 3 * MOST_NAMED
    for names in (known.left_out, differs.content):
        assert len(names) == MOST_NAMED + 1
        assert names[-1] == f"and {2 * MOST_NAMED} others"
    assert len(json.dumps(asdict(made.summary))) < 10_000


def part_of_an_upload(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE photos (content BLOB)")
        database.execute("INSERT INTO photos VALUES (zeroblob(100000))")
    os.truncate(path, 50_000)


def only_the_beginning(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)


def below_a_long_path(path: Path) -> None:
    folder = path.parent.joinpath(*["f" * 200] * 4)
    folder.mkdir(parents=True)
    part_of_an_upload(path.parent / "made")
    (path.parent / "made").rename(folder / path.name)


def with_a_long_name(path: Path) -> None:
    part_of_an_upload(path)
    with path.open("r+b") as file:
        os.pwrite(file.fileno(), b"\2\2", 18)  # in WAL mode (https://sqlite.org/fileformat.html)
    path.rename(path.with_name("f" * 255))


@pytest.mark.parametrize("make", [part_of_an_upload, only_the_beginning, below_a_long_path, with_a_long_name])
def test_what_begins_as_a_database_and_is_none_is_backed_up_as_it_is(data: Path, make: Callable[[Path], None]) -> None:
    """It was sent by a stranger, and no backup was made, so that no release could be deployed any more."""
    make(data / "upload.db")
    (path,) = (path for path in data.rglob("*") if path.is_file())
    content = path.read_bytes()

    (entry,) = back_up(data).files
    same = compare(data.parent / "backup", {"data": data}, PACE)
    path.unlink()
    put_back(data)

    assert (entry.sqlite, path.read_bytes()) == (False, content)
    assert same == Difference((), (), ())


@pytest.mark.parametrize("end", ["-wal", "-journal"])
@pytest.mark.parametrize("make", [part_of_an_upload, only_the_beginning])
def test_a_file_that_is_no_database_is_backed_up_with_what_is_beside_it(
    data: Path, make: Callable[[Path], None], end: str
) -> None:
    """Whoever could send the app two files, named as a database and its log, kept every backup from being made. If it
    is the app's own database, its log comes back with it, as after a crash."""
    make(data / "upload")
    (data / f"upload{end}").write_bytes(b"rows that are nowhere else")
    content = (data / "upload").read_bytes()

    made = back_up(data)
    same = compare(data.parent / "backup", {"data": data}, PACE)
    for path in data.iterdir():
        path.unlink()
    put_back(data)

    assert {path.name: path.read_bytes() for path in data.iterdir()} == {
        "upload": content,
        f"upload{end}": b"rows that are nowhere else",
    }
    assert same == Difference((), (), ())
    (note,) = made.summary.notes
    assert note.startswith("SQLite cannot read 'data/upload' (")
    assert note.endswith(f"): it was copied as it is, with 'data/upload{end}', as after a crash")


def test_a_database_that_needs_its_app_to_be_checked_comes_back(data: Path) -> None:
    """SQLite cannot check an index in an order that only the app knows, and called the backup damaged."""
    with closing(sqlite3.connect(data / "cards.db")) as database, database:
        database.create_collation("unicase", lambda one, other: (one.lower() > other.lower()) - (one < other))
        database.execute("CREATE TABLE cards (front TEXT COLLATE unicase)")
        database.execute("CREATE INDEX by_front ON cards (front)")
        database.execute("INSERT INTO cards VALUES ('Tee')")
    back_up(data)
    (data / "cards.db").unlink()

    archive.verify(data.parent / "backup", PACE)
    put_back(data)

    with closing(sqlite3.connect(data / "cards.db")) as database:
        assert database.execute("SELECT front FROM cards NOT INDEXED").fetchall() == [("Tee",)]


def test_a_comparison_keeps_no_line_however_long_it_is(data: Path) -> None:
    with (data / "preallocated").open("wb") as file:
        file.truncate(64 * MIB)
    (data / "export.sql").write_text("CREATE TABLE orders (id INTEGER);\n-- " + "x" * (3 * MIB) + "\n")
    back_up(data)
    tracemalloc.start()
    try:
        found = compare(data.parent / "backup", {"data": data}, PACE)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found == Difference(("data/export.sql",), (), ())
    assert most < 24 * MIB


@pytest.mark.parametrize("comment", ["another", "x" * (2 * MIB)])
def test_a_long_line_of_a_dump_counts_as_its_beginning_says(data: Path, comment: str) -> None:
    def written(comment: str, rows: str) -> None:
        (data / "dump.sql").write_text(
            f"CREATE TABLE orders (id INTEGER);\n-- {comment}\nINSERT INTO orders VALUES {rows};\n"
            f"INSERT INTO django_migrations VALUES {'(1),' * MIB}(2);\n"
        )

    written("one", "(1)")
    back_up(data)
    written(comment, "(1)")
    assert compare(data.parent / "backup", {"data": data}, PACE) == Difference(("data/dump.sql",), (), ())
    written(comment, "(1)," * MIB + "(2)")
    found = compare(data.parent / "backup", {"data": data}, PACE)
    assert found == Difference(("data/dump.sql",), (), ("data/dump.sql",))


def test_pipes_sockets_and_devices_hold_nothing_up(data: Path) -> None:
    os.mkfifo(data / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(data / "s"))
        made = back_up(data)

    assert made.left_out == ("data/pipe", "data/s")


JOBS: dict[str, Callable[[Path], object]] = {
    "create": back_up,
    "verify": lambda data: archive.verify(data.parent / "backup", PACE),
    "restore": put_back,
}


@pytest.mark.parametrize("job", JOBS)
def test_a_million_files_fit_into_the_memory_of_the_sidecar(tmp_path: Path, job: str) -> None:
    """1 GiB, with what the process itself needs. Each file took 2 kB, so that half a million were too many."""
    peaks = []
    for number in (100, 600):
        data = tmp_path / str(number) / "data"
        for at in range(0, number, 100):
            (data / f"folder{at}").mkdir(parents=True)
            for file in range(at, at + 100):
                (data / f"folder{at}" / f"photo-of-something-{file}.jpg").write_bytes(b"%d" % file)
        if job != "create":
            back_up(data)
        tracemalloc.start()
        try:
            JOBS[job](data)
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()

    assert (peaks[1] - peaks[0]) / 500 < 800, peaks

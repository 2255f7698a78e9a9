"""A backup is one consistent moment, and what is not exactly it is refused before anything is touched."""

from __future__ import annotations

import io
import itertools
import json
import os
import shutil
import sqlite3
import tarfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.backup_sidecar import archive, copy, extract, restore
from orchestrator.backup_sidecar.catalogue import EXTRA_FOLDER, Catalogue
from orchestrator.backup_sidecar.copy import digest
from orchestrator.backup_sidecar.manifest import ARCHIVE, MANIFEST, DamagedBackup, Manifest, NoRoom
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.backup_sidecar.protocol import Protocol
from orchestrator.files.beneath import Folder

SWIFTLY = Pace(gently=False)
KILLED = 9
WRITE_VERSION, WAL = 18, 2
"""In the header of an SQLite file: https://sqlite.org/fileformat.html"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "pictures").mkdir(parents=True)
    (folder / "pictures" / "logo.png").write_bytes(b"\x89PNG" * 1000)
    (folder / "uploads").mkdir(mode=0o750)
    (folder / "albums").mkdir()
    (folder / "albums" / "newest").symlink_to("../pictures")
    (folder / "logo.png").symlink_to("pictures/logo.png")
    (folder / "current").symlink_to("pictures")
    # Closed here and now: closing moves the write-ahead log into the file, and tests compare files.
    with closing(sqlite3.connect(folder / "shop.db")) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, pair INTEGER)")
        database.executemany("INSERT INTO orders (pair) VALUES (?)", [(number // 2,) for number in range(1000)])
    return folder


def back_up(data: Path, folder: Path) -> Manifest:
    return archive.create(
        {"data": data}, folder, SWIFTLY, backup=folder.name, app="shop", version="v1", revision="abc", reason="test"
    )


def contents(data: Path) -> dict[str, bytes]:
    return {str(path.relative_to(data)): content(path) for path in data.rglob("*")}


def content(path: Path) -> bytes:
    if path.is_symlink():
        return b"-> " + bytes(path.readlink())
    return path.read_bytes() if path.is_file() else b""


def test_what_is_restored_is_what_was_backed_up(data: Path, tmp_path: Path) -> None:
    manifest = back_up(data, tmp_path / "backups" / "one")
    with sqlite3.connect(data / "shop.db") as database:
        database.execute("DELETE FROM orders")
    (data / "pictures" / "logo.png").unlink()
    (data / "later.txt").write_text("came later")

    restore.restore(tmp_path / "backups" / "one", {"data": data})

    with sqlite3.connect(data / "shop.db") as database:
        assert database.execute("SELECT count(*) FROM orders").fetchone() == (1000,)
    assert (data / "pictures" / "logo.png").read_bytes() == b"\x89PNG" * 1000
    assert not (data / "later.txt").exists()
    assert not list(data.glob(".changeover-*"))
    assert {file.path for file in manifest.files} == {"data/shop.db", "data/pictures/logo.png"}


def test_folders_links_modes_and_times_are_as_they_were(data: Path, tmp_path: Path) -> None:
    logo = data / "pictures" / "logo.png"
    logo.chmod(0o600)
    for path in (logo, data / "uploads", data / "pictures"):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    os.link(logo, data / "twin.png")
    before = contents(data)
    back_up(data, tmp_path / "backups" / "one")
    for path in data.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    restore.restore(tmp_path / "backups" / "one", {"data": data})

    after = contents(data)
    databases = [one.pop("shop.db") for one in (before, after)]
    assert after == before
    assert [one[WRITE_VERSION] for one in databases] == [WAL, WAL]
    assert (logo.stat().st_mode & 0o777, logo.stat().st_mtime) == (0o600, 1_700_000_000)
    assert ((data / "uploads").stat().st_mode & 0o777, (data / "uploads").stat().st_mtime) == (0o750, 1_700_000_000)
    assert (data / "pictures").stat().st_mtime == 1_700_000_000


@pytest.mark.parametrize(
    "target", ["/etc/passwd", "../../outside", "../..", "pictures/../../..", "current/../../outside"]
)
def test_a_link_to_outside_is_left_out_and_named(data: Path, tmp_path: Path, target: str) -> None:
    (data / "albums" / "stray").symlink_to(target)

    manifest = back_up(data, tmp_path / "backups" / "one")

    assert manifest.left_out == ("data/albums/stray",)
    assert archive.verify(tmp_path / "backups" / "one", SWIFTLY) == manifest


def test_what_the_app_removes_meanwhile_is_not_missed(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Folder.open(data) as held:
        entries = list(copy.entries_of(held))
    monkeypatch.setattr(archive, "entries_of", lambda _: entries)
    (data / "pictures" / "logo.png").unlink()
    (data / "shop.db").unlink()
    (data / "uploads").rmdir()

    manifest = back_up(data, tmp_path / "backups" / "one")

    assert manifest.files == ()
    assert not (data / "shop.db").exists()
    assert archive.verify(tmp_path / "backups" / "one", SWIFTLY) == manifest


def test_a_backup_of_the_first_formats_is_restored(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups" / "one"
    back_up(data, folder)

    def as_it_was(old: tarfile.TarFile, new: tarfile.TarFile) -> None:
        for member in old:
            if member.isreg():
                packed = old.extractfile(member)
                member.name = member.name.removeprefix("data/")
                new.addfile(member, packed)

    repack(folder, as_it_was)
    manifest = json.loads((folder / MANIFEST).read_text())
    for file in manifest["files"]:
        file["path"] = file["path"].removeprefix("data/")
    for newer in ("format", "places", "left_out"):
        del manifest[newer]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    before = contents(data)
    (data / "pictures" / "logo.png").write_bytes(b"newer")

    restore.restore(folder, {"data": data})

    after = contents(data)
    assert {name for name, content in after.items() if content} == {"shop.db", "pictures/logo.png"}
    assert after["pictures/logo.png"] == before["pictures/logo.png"]


def test_a_backup_under_writes_is_one_consistent_moment(data: Path, tmp_path: Path) -> None:
    """Rows are written in pairs, each pair in one transaction: a backup never holds half of one."""
    stop = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        with sqlite3.connect(data / "shop.db", isolation_level=None, timeout=10) as database:
            while not stop.is_set():
                database.execute("BEGIN")
                database.executemany("INSERT INTO orders (pair) VALUES (?)", [(10_000 + written,)] * 2)
                database.execute("COMMIT")
                written += 1
                time.sleep(0.001)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(10):
            before = written
            while written == before:
                time.sleep(0.001)
            back_up(data, tmp_path / "backups" / str(number))
    finally:
        stop.set()
        writer.join()

    target = tmp_path / "restored"
    for number in range(10):
        target.mkdir(exist_ok=True)
        restore.restore(tmp_path / "backups" / str(number), {"data": target})
        with sqlite3.connect(target / "shop.db") as database:
            halves = database.execute("SELECT pair FROM orders GROUP BY pair HAVING count(*) <> 2").fetchall()
        assert halves == []


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_backup_never_rests_while_a_writer_would_have_to_wait_for_it(data: Path, tmp_path: Path, mode: str) -> None:
    source = data / "shop.db"
    with closing(sqlite3.connect(source, isolation_level=None)) as database:
        database.execute(f"PRAGMA journal_mode={mode}")
        database.execute("CREATE TABLE pictures (content BLOB)")
        database.execute("INSERT INTO pictures VALUES (zeroblob(?))", (4 * copy.FLUSH,))
        before = database.execute("SELECT count(*) FROM orders").fetchone()

        class WritesMeanwhile(Pace):
            rests = 0

            def rest(self) -> None:
                self.rests += 1
                database.execute("INSERT INTO orders (pair) VALUES (-1)")

        pace = WritesMeanwhile(gently=True)
        database.execute("PRAGMA busy_timeout=0")
        copy.copy_database(source, tmp_path / "copy.db", pace)

    with closing(sqlite3.connect(tmp_path / "copy.db")) as copied:
        assert copied.execute("SELECT count(*) FROM orders").fetchone() == before
        assert copied.execute("PRAGMA journal_mode").fetchone() == (mode,)
    assert (pace.rests > 3) is (mode == "wal")


def one_byte_changed(folder: Path) -> None:
    packed = bytearray((folder / ARCHIVE).read_bytes())
    packed[len(packed) // 2] ^= 1
    (folder / ARCHIVE).write_bytes(packed)


def archive_missing(folder: Path) -> None:
    (folder / ARCHIVE).unlink()


def manifest_missing(folder: Path) -> None:
    (folder / MANIFEST).unlink()


def repack(folder: Path, change: Callable[[tarfile.TarFile, tarfile.TarFile], None]) -> None:
    """Write the archive anew, with a manifest that vouches for it: what a forger would do."""
    packed = folder / ARCHIVE
    with tarfile.open(packed) as old, tarfile.open(folder / "forged", "w:gz") as new:
        change(old, new)
    (folder / "forged").rename(packed)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["archive_sha256"] = digest(packed, SWIFTLY)
    (folder / MANIFEST).write_text(json.dumps(manifest))


def keep(old: tarfile.TarFile, new: tarfile.TarFile, *, without: str = "") -> None:
    for member in old:
        if member.name != without:
            new.addfile(member, old.extractfile(member) if member.isreg() else None)


def file_missing(folder: Path) -> None:
    repack(folder, lambda old, new: keep(old, new, without="data/shop.db"))


def name_leads_outside(folder: Path) -> None:
    def change(old: tarfile.TarFile, new: tarfile.TarFile) -> None:
        keep(old, new)
        entry = tarfile.TarInfo("../outside")
        entry.size = 4
        new.addfile(entry, io.BytesIO(b"evil"))

    repack(folder, change)


def link_to_outside(folder: Path) -> None:
    def change(old: tarfile.TarFile, new: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo("data/shop.db")
        entry.type, entry.linkname = tarfile.SYMTYPE, "/etc/passwd"
        new.addfile(entry)
        keep(old, new, without="data/shop.db")

    repack(folder, change)


def link_turned_to_outside(folder: Path) -> None:
    def change(old: tarfile.TarFile, new: tarfile.TarFile) -> None:
        for member in old:
            if member.name == "data/current":
                member.linkname = "../outside"
            new.addfile(member, old.extractfile(member) if member.isreg() else None)

    repack(folder, change)


def other_content(folder: Path) -> None:
    def change(old: tarfile.TarFile, new: tarfile.TarFile) -> None:
        keep(old, new, without="data/pictures/logo.png")
        entry = tarfile.TarInfo("data/pictures/logo.png")
        entry.size = 4
        new.addfile(entry, io.BytesIO(b"evil"))

    repack(folder, change)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (one_byte_changed, "checksum differs"),
        (archive_missing, "is missing"),
        (manifest_missing, "manifest cannot be read"),
        (file_missing, "'data/shop.db' is missing from the archive"),
        (name_leads_outside, "is outside of the archive"),
        (link_to_outside, "is not a regular file"),
        (link_turned_to_outside, "points outside of the data"),
        (other_content, "checksum differs"),
    ],
)
def test_a_damaged_backup_is_refused_before_anything_is_touched(
    data: Path, tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    folder = tmp_path / "backups" / "one"
    back_up(data, folder)
    damage(folder)
    before = contents(data)

    with pytest.raises(DamagedBackup, match=says):
        archive.verify(folder, SWIFTLY)
    with pytest.raises(DamagedBackup, match=says):
        restore.restore(folder, {"data": data})

    assert contents(data) == before
    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "backups" / "outside").exists()


def test_no_room_is_said_before_anything_is_written(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "RESERVE", 2**60)
    killed = tmp_path / "backups" / "zero.new"
    killed.mkdir(parents=True)
    (killed / "archive.tar.zst").write_bytes(bytes(1000))

    with pytest.raises(NoRoom, match="MB free"):
        back_up(data, tmp_path / "backups" / "one")

    assert list((tmp_path / "backups").iterdir()) == [], "what a backup that was killed has left takes no room either"


def killed_at(what: str, folder: Path, data: Path, move: int) -> bool:
    """In a process of its own, which ends at once before its move of that number. Whether it came to that move."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            until_move(what, folder, data, move)
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED


def until_move(what: str, folder: Path, data: Path, last: int) -> None:
    protocol = Protocol(folder.parent, "t1") if what.endswith("by protocol") else None
    moves = itertools.count(1)

    def counted(move: Callable[..., object]) -> Callable[..., object]:
        def moving(*arguments: object, **more: object) -> object:
            if next(moves) == last:
                os._exit(KILLED)
            return move(*arguments, **more)

        return moving

    for name in ("rename", "unlink", "rmdir", *(("replace", "fsync") if protocol else ())):
        setattr(os, name, counted(getattr(os, name)))
    if what.startswith("restore"):
        restore.restore(folder, {"data": data}, protocol=protocol)
    else:
        restore.undo_interrupted({"data": data}, protocol)


def test_a_restore_that_is_killed_at_any_move_is_undone_and_can_be_done_again(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "backups" / "one"
    back_up(data, folder)
    wanted = (data / "pictures" / "logo.png").read_bytes()
    (data / "pictures" / "logo.png").write_bytes(b"newer")
    (data / "later.txt").write_text("came later")
    before = contents(data)
    wanted_whole = None
    move = 0
    while killed_at("restore", folder, data, move := move + 1):
        restore.undo_interrupted({"data": data})
        after = contents(data)
        wanted_whole = after if after != before else None
        if wanted_whole:
            break
        assert after == before, f"killed at move {move}"

    # From one move on it is complete, and what is killed is the removal of the data before.
    assert move > 5
    assert (data / "pictures" / "logo.png").read_bytes() == wanted
    assert not (data / "later.txt").exists()
    assert not list(data.glob(".changeover-*"))


def test_after_a_kill_at_any_move_the_protocol_says_whether_the_restore_is_complete(data: Path, tmp_path: Path) -> None:
    """The orchestrator asks it at its next start, because it was stopped before it could record the end."""
    folder = tmp_path / "backups" / "one"
    back_up(data, folder)
    wanted = set(contents(data))
    (data / "later.txt").write_text("came later")
    before = set(contents(data))
    protocol = Protocol(folder.parent, "t1")
    told: list[bool] = []
    move, goes_on = 0, True
    while goes_on:
        goes_on = killed_at("restore by protocol", folder, data, move := move + 1)
        told.append(restore.undo_interrupted({"data": data}, protocol))
        assert set(contents(data)) == (wanted if told[-1] else before), f"killed at move {move}"
        assert not list(data.glob(".changeover-*"))
        if told[-1]:
            (data / "later.txt").write_text("came later")

    assert told == sorted(told)
    assert set(told) == {True, False}


@pytest.mark.parametrize("interrupted", [3, 6, 9])
def test_an_undo_that_is_killed_at_any_move_is_undone_again(data: Path, tmp_path: Path, interrupted: int) -> None:
    folder = tmp_path / "backups" / "one"
    back_up(data, folder)
    (data / "later.txt").write_text("came later")
    before = contents(data)
    move = 0
    while True:
        assert killed_at("restore", folder, data, interrupted)
        if not killed_at("undo", folder, data, move := move + 1):
            break
        restore.undo_interrupted({"data": data})
        assert contents(data) == before, f"killed at move {move}"

    assert contents(data) == before
    assert move > 1


def test_all_backups_of_an_app_are_removed_and_those_of_another_stay(data: Path, tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "backups" / "shop")
    for app, backup in (("shop", "1"), ("shop", "2"), ("blog", "1")):
        back_up(data, tmp_path / "backups" / app / backup)
    (tmp_path / "backups" / "shop" / "3.new").mkdir()

    assert catalogue.remove_all() == ["2", "1"]
    assert catalogue.remove_all() == []
    assert [one.id for one in Catalogue(tmp_path / "backups" / "blog").entries()] == ["1"]
    assert not (tmp_path / "backups" / "shop").exists()


def test_of_a_backup_that_was_killed_nothing_is_left_for_the_next_one(data: Path, tmp_path: Path) -> None:
    """The log of the release of that time would be in the next backup, which may be of another release."""
    folder = tmp_path / "backups"
    back_up(data, folder / "1")
    for left in ("2.new", f"{EXTRA_FOLDER}/logs", f"{EXTRA_FOLDER}/config"):
        (folder / left).mkdir(parents=True)
        (folder / left / "file").write_text("of the one that was killed")

    assert Catalogue(folder).remove_unfinished() == ["2.new"]
    assert Catalogue(folder).remove_unfinished() == []
    assert [one.name for one in folder.iterdir()] == ["1"]


def test_configuration_and_logs_of_that_time_are_read_out_and_every_byte_checked(data: Path, tmp_path: Path) -> None:
    configuration, logs = tmp_path / "configuration", tmp_path / "logs"
    configuration.mkdir()
    logs.mkdir()
    (logs / "app.log").write_bytes(b"started \xff\n")
    (configuration / "control-panel-config.yaml").write_text("apps: {}\n")
    folder = tmp_path / "backups" / "one"
    archive.create(
        {"data": data, "config": configuration, "logs": logs}, folder, SWIFTLY, backup="one", app="shop", version="v1",
        revision="abc", reason="test",
    )  # fmt: skip
    back_up(data, tmp_path / "backups" / "without")

    assert extract.texts(folder, "config", SWIFTLY, None) == {"control-panel-config.yaml": "apps: {}\n"}
    assert extract.texts(folder, "logs", SWIFTLY, None) == {"app.log": "started \ufffd\n"}
    assert extract.texts(tmp_path / "backups" / "without", "logs", SWIFTLY, None) == {}
    (folder / ARCHIVE).write_bytes(b"damaged")
    with pytest.raises(DamagedBackup):
        extract.texts(folder, "config", SWIFTLY, None)

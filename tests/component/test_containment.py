"""Nothing in an app's data or in an archive leads outside, at any moment, whatever the app does meanwhile."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.backup_sidecar import archive, copy, difference, restore
from orchestrator.backup_sidecar.manifest import ARCHIVE, DamagedBackup, Manifest, Unsuitable
from orchestrator.files.beneath import Folder, LeadsOutside, NotAFile
from tests.component.test_backup_archive import SWIFTLY, repack

SECRET = b"of another app"
ROUNDS = 40


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The app's data, in a jail beside which other apps have theirs."""
    data = tmp_path / "jail" / "data"
    (data / "uploads").mkdir(parents=True)
    (tmp_path / "jail" / "scratch").mkdir()
    for number in range(20):
        (data / "uploads" / f"secret{number}").write_bytes(b"mine")
    other = tmp_path / "other"
    other.mkdir()
    for number in range(20):
        (other / f"secret{number}").write_bytes(SECRET)
    with contextlib.closing(sqlite3.connect(other / "shop.db")) as database, database:
        database.execute(f"CREATE TABLE secrets AS SELECT '{SECRET.decode()}' AS secret")
    shutil.copy(other / "shop.db", data / "uploads" / "mine.db")
    with contextlib.closing(sqlite3.connect(data / "uploads" / "shop.db")) as database, database:
        database.execute("CREATE TABLE secrets AS SELECT 'mine' AS secret")
    (data / "uploads" / "mine.db").unlink()
    return data


def back_up(data: Path, folder: Path, jail: Path | None = None, *, root: str = "data") -> Manifest:
    return archive.create(
        {root: data}, folder, SWIFTLY, backup=folder.name, app="shop", version="v1", revision="abc", reason="test",
        jail=jail,
    )  # fmt: skip


@contextmanager
def always(act: Callable[[], None]) -> Iterator[None]:
    """Meanwhile, the app does this again and again, in a thread of its own."""
    stop = threading.Event()

    def again() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                act()

    thread = threading.Thread(target=again)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def swapping(folder: Path, target: Path) -> Callable[[], None]:
    """Exchange a folder or file for a link to elsewhere, and back, as fast as possible."""
    aside, link = folder.with_name("aside"), folder.with_name("link")
    if not link.is_symlink():
        link.symlink_to(target)

    def swap() -> None:
        folder.rename(aside)
        link.rename(folder)
        folder.rename(link)
        aside.rename(folder)

    return swap


def everything_in(packed: Path) -> bytes:
    with tarfile.open(packed) as opened:
        files = [opened.extractfile(member) for member in opened if member.isreg()]
        return b"\n".join(file.read() for file in files if file)


@pytest.mark.parametrize("what", ["folder", "file", "database"])
@pytest.mark.parametrize("jailed", [False, True])
def test_an_app_that_swaps_folders_and_files_for_links_meanwhile_gets_nothing_of_others(
    data: Path, tmp_path: Path, what: str, jailed: bool
) -> None:
    jail = tmp_path / "jail" if jailed and os.geteuid() == 0 else None
    other = tmp_path / "other"
    place = {"folder": data / "uploads", "file": data / "uploads" / "secret7", "database": data / "uploads" / "shop.db"}
    target = {"folder": other, "file": other / "secret7", "database": other / "shop.db"}

    # A fork is one of the thread that calls it alone, so the swaps come from another process.
    swaps = (
        always(swapping(place[what], target[what])) if jail is None else swaps_of_a_process(place[what], target[what])
    )
    with swaps:
        for number in range(ROUNDS if jail is None else 10):
            folder = tmp_path / "backups" / str(number)
            with contextlib.suppress(OSError):  # replaced faster than it can be copied
                back_up(data, folder, jail)
            if not folder.exists():
                continue
            assert SECRET not in everything_in(folder / ARCHIVE), f"round {number}"
            shutil.rmtree(folder)

    assert (other / "secret7").read_bytes() == SECRET
    assert sorted(path.name for path in other.iterdir()) == sorted([*(f"secret{n}" for n in range(20)), "shop.db"])


@contextmanager
def swaps_of_a_process(place: Path, target: Path) -> Iterator[None]:
    swap = swapping(place, target)
    child = os.fork()
    if child == 0:
        while True:
            with contextlib.suppress(OSError):
                swap()
    try:
        yield
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_the_swaps_of_this_test_do_lead_a_reader_of_paths_outside(data: Path, tmp_path: Path) -> None:
    """Otherwise the test above would show nothing."""
    found = False
    with always(swapping(data / "uploads", tmp_path / "other")):
        for _ in range(100_000):
            with contextlib.suppress(OSError):
                found = found or (data / "uploads" / "secret3").read_bytes() == SECRET
            if found:
                break

    assert found


def test_a_comparison_of_the_data_follows_no_link_either(data: Path, tmp_path: Path) -> None:
    back_up(data, tmp_path / "backups" / "one")
    shutil.rmtree(data / "uploads")
    (data / "uploads").symlink_to(tmp_path / "other")
    os.mkfifo(data / "pipe")

    found = difference.compare(tmp_path / "backups" / "one", {"data": data}, SWIFTLY)

    assert "data/uploads/secret1" in found.content
    assert found.structure == ("data/uploads/shop.db",)


@pytest.mark.skipif(os.geteuid() != 0, reason="a jail needs root")
def test_sqlite_in_its_jail_deletes_nothing_that_a_journal_names(data: Path, tmp_path: Path) -> None:
    """A hot journal names a super-journal, which SQLite opens, and deletes when it is not needed any more."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"\0")
    source = data / "uploads" / "shop.db"
    page = source.read_bytes()[:4096]
    name = str(victim).encode()
    header = bytes.fromhex("d9d505f920a163d7") + (0).to_bytes(4) + (0).to_bytes(4) + (1).to_bytes(4) + (512).to_bytes(4)
    journal = (header + (4096).to_bytes(4)).ljust(512, b"\0")
    trailer = (1073741824 // 4096 + 1).to_bytes(4) + name + len(name).to_bytes(4) + sum(name).to_bytes(4) + header[:8]
    source.with_name("shop.db-journal").write_bytes(journal + trailer)
    assert page.startswith(b"SQLite")

    with contextlib.suppress(sqlite3.Error):
        copy.copy_database(source, tmp_path / "jail" / "scratch" / "copy", SWIFTLY, jail=tmp_path / "jail")

    assert victim.exists()


def test_devices_pipes_and_sockets_are_left_out_named_and_not_waited_for(data: Path, tmp_path: Path) -> None:
    os.mkfifo(data / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(data / "socket"))
        expected = ["data/pipe", "data/socket"]
        if os.geteuid() == 0:
            os.mknod(data / "zero", 0o666 | 0o020000, os.makedev(1, 5))
            expected.append("data/zero")

        manifest = back_up(data, tmp_path / "backups" / "one")

    assert sorted(manifest.left_out) == sorted(expected)
    assert archive.verify(tmp_path / "backups" / "one", SWIFTLY) == manifest


def test_a_file_that_becomes_a_pipe_is_not_waited_for(data: Path) -> None:
    os.mkfifo(data / "pipe")
    with Folder.open(data) as held, pytest.raises(NotAFile):
        held.open_file("pipe")


def test_a_sparse_file_takes_no_more_room_than_it_has(data: Path, tmp_path: Path) -> None:
    sparse = data / "sparse"
    with sparse.open("wb") as file:
        file.write(b"begin")
        file.seek(200_000_000)
        file.write(b"end")
    back_up(data, tmp_path / "backups" / "one")
    content = sparse.stat()
    sparse.unlink()

    restore.restore(tmp_path / "backups" / "one", {"data": data})

    assert sparse.stat().st_size == content.st_size
    assert sparse.stat().st_blocks * 512 < 2_000_000
    with sparse.open("rb") as file:
        assert file.read(5) == b"begin"
        file.seek(-3, os.SEEK_END)
        assert file.read() == b"end"


def test_a_bomb_of_holes_is_refused_at_once(data: Path, tmp_path: Path) -> None:
    with (data / "bomb").open("wb") as file:
        file.truncate(2**40)

    with pytest.raises(Unsuitable, match="GiB of holes, such as 'bomb'"):
        back_up(data, tmp_path / "backups" / "one")

    assert list((tmp_path / "backups").iterdir()) == []


def test_a_file_that_grows_for_ever_is_copied_as_it_was(data: Path, tmp_path: Path) -> None:
    log = data / "log"
    log.write_bytes(b"x" * 100_000)

    def grow() -> None:
        with log.open("ab") as file:
            file.write(b"x" * 100_000)

    with always(grow):
        manifest = back_up(data, tmp_path / "backups" / "one")

    assert "data/log" in {file.path for file in manifest.files}


def test_folders_without_end_are_refused(data: Path, tmp_path: Path) -> None:
    here = os.open(data, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=here)
        deeper = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = deeper
    os.close(here)

    with pytest.raises(LeadsOutside, match="nested deeper than"):
        back_up(data, tmp_path / "backups" / "one")


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6777, 0o1644])
def test_the_bits_that_give_away_a_files_owner_are_not_restored(data: Path, tmp_path: Path, mode: int) -> None:
    (data / "program").write_bytes(b"#!/bin/sh")
    (data / "program").chmod(mode)
    (data / "group").mkdir()
    (data / "group").chmod(0o2770)
    back_up(data, tmp_path / "backups" / "one")

    restore.restore(tmp_path / "backups" / "one", {"data": data})

    assert (data / "program").stat().st_mode & 0o7777 == mode & 0o777
    assert (data / "group").stat().st_mode & 0o7777 == 0o770


def test_a_backup_without_data_never_empties_the_volume(data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    back_up(tmp_path / "empty", tmp_path / "backups" / "one")

    with pytest.raises(Unsuitable, match="has no files of the app's data volume"):
        restore.restore(tmp_path / "backups" / "one", {"data": data})

    assert len(list((data / "uploads").iterdir())) == 21
    restore.restore(tmp_path / "backups" / "one", {"data": data}, emptying=True)
    assert list(data.iterdir()) == []


def test_a_backup_of_a_dump_alone_replaces_no_volume_and_one_without_a_dump_no_database(
    data: Path, tmp_path: Path
) -> None:
    dump = tmp_path / "dump"
    dump.mkdir()
    (dump / "shop.sql").write_text("CREATE TABLE orders ();")
    back_up(dump, tmp_path / "backups" / "dumped", root="dump")
    back_up(data, tmp_path / "backups" / "data")
    (dump / "shop.sql").unlink()

    for backup, roots in (("dumped", {"data": data}), ("data", {"data": data, "dump": dump})):
        for emptying in (False, True):
            with pytest.raises(Unsuitable):
                restore.restore(tmp_path / "backups" / backup, roots, emptying=emptying)

    assert len(list((data / "uploads").iterdir())) == 21
    assert list(dump.iterdir()) == []


@pytest.mark.parametrize("name", [restore.FRESH, restore.LEAVING, restore.PUT_ASIDE, restore.REPLACED])
@pytest.mark.parametrize("target", ["../../other", "uploads", "."])
def test_a_link_with_a_name_of_ours_is_taken_for_nothing_of_ours(
    data: Path, tmp_path: Path, name: str, target: str
) -> None:
    (data / name).symlink_to(target)
    other = sorted(path.name for path in (tmp_path / "other").iterdir())

    restore.undo_interrupted({"data": data})
    back_up(data, tmp_path / "backups" / "one")
    restore.restore(tmp_path / "backups" / "one", {"data": data})

    assert sorted(path.name for path in (tmp_path / "other").iterdir()) == other
    assert [path.name for path in data.iterdir()] == ["uploads"]
    assert len(list((data / "uploads").iterdir())) == 21


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_the_app_with_a_name_of_ours_is_no_interrupted_restore(data: Path) -> None:
    forged = data / restore.PUT_ASIDE
    forged.mkdir()
    (forged / "forged").write_text("instead of the data")
    os.chown(forged, 1000, 1000)

    restore.undo_interrupted({"data": data})

    assert [path.name for path in data.iterdir()] == ["uploads"]


def test_an_app_that_writes_during_a_restore_makes_nothing_lead_outside(data: Path, tmp_path: Path) -> None:
    """It should be stopped. If it is not, what it swaps for links is its own."""
    back_up(data, tmp_path / "backups" / "one")
    other = {path.name: path.read_bytes() for path in (tmp_path / "other").iterdir()}
    link = data / "link"

    def swap() -> None:
        for name in ("uploads", restore.FRESH, restore.LEAVING, restore.PUT_ASIDE):
            with contextlib.suppress(OSError):
                link.symlink_to(tmp_path / "other")
            with contextlib.suppress(OSError):
                (data / name).rename(data / f"aside-{name}")
            with contextlib.suppress(OSError):
                link.rename(data / name)

    with always(swap):
        for _ in range(ROUNDS):
            with contextlib.suppress(OSError, Unsuitable, DamagedBackup):
                restore.restore(tmp_path / "backups" / "one", {"data": data})
            with contextlib.suppress(OSError):
                restore.undo_interrupted({"data": data})

    assert {path.name: path.read_bytes() for path in (tmp_path / "other").iterdir()} == other


def forged(kind: bytes, name: str, link: str = "", size: int = 0) -> Callable[[tarfile.TarFile, tarfile.TarFile], None]:
    def change(old: tarfile.TarFile, new: tarfile.TarFile) -> None:
        entry = tarfile.TarInfo(name)
        entry.type, entry.linkname, entry.size = kind, link, size
        new.addfile(entry)
        for member in old:
            if member.name != name:
                new.addfile(member, old.extractfile(member) if member.isreg() else None)

    return change


@pytest.mark.parametrize(
    "place", ["data/uploads/secret1", "data/uploads", "data/../../other/secret1", "/data/x", "data"]
)
@pytest.mark.parametrize(
    ("kind", "link"),
    [
        (tarfile.SYMTYPE, "/etc"), (tarfile.SYMTYPE, "../../other"), (tarfile.LNKTYPE, "/etc/passwd"),
        (tarfile.LNKTYPE, "data/uploads/secret2"), (tarfile.FIFOTYPE, ""), (tarfile.CHRTYPE, ""), (tarfile.BLKTYPE, ""),
        (tarfile.GNUTYPE_SPARSE, ""), (tarfile.CONTTYPE, ""),
    ],
)  # fmt: skip
def test_an_archive_that_tries_to_lead_outside_is_refused(
    data: Path, tmp_path: Path, kind: bytes, link: str, place: str
) -> None:
    folder = tmp_path / "backups" / "one"
    back_up(data, folder)
    repack(folder, forged(kind, place, link))
    before = {path: path.read_bytes() for path in data.rglob("*") if path.is_file()}

    with pytest.raises(DamagedBackup):
        archive.verify(folder, SWIFTLY)
    with pytest.raises(DamagedBackup):
        restore.restore(folder, {"data": data})

    assert {path: path.read_bytes() for path in data.rglob("*") if path.is_file()} == before
    assert not list(data.glob(".changeover-*"))


@pytest.mark.parametrize("what", [ARCHIVE, "manifest.json"])
def test_a_backup_whose_files_are_links_is_damaged(data: Path, tmp_path: Path, what: str) -> None:
    folder = tmp_path / "backups" / "one"
    back_up(data, folder)
    (folder / what).rename(tmp_path / "elsewhere")
    (folder / what).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(DamagedBackup):
        archive.verify(folder, SWIFTLY)


def test_names_that_are_not_utf_8_are_backed_up_and_restored(data: Path, tmp_path: Path) -> None:
    name = os.path.join(os.fsencode(data), b"caf\xe9")
    with open(name, "wb") as file:
        file.write(b"latin-1")
    back_up(data, tmp_path / "backups" / "one")
    os.unlink(name)

    restore.restore(tmp_path / "backups" / "one", {"data": data})

    with open(name, "rb") as file:
        assert file.read() == b"latin-1"

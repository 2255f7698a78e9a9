"""Hard links and extended attributes: they come back as they were, or the backup says that they will not."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.backup_sidecar import archive, attributes, copy, pack, restore
from orchestrator.backup_sidecar.difference import Difference, compare
from orchestrator.backup_sidecar.manifest import DamagedBackup, Manifest
from orchestrator.backup_sidecar.owner import ACCESS, DEFAULT
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.files.beneath import Entry, Folder

PACE = Pace(gently=False)
ACL = bytes.fromhex(
    "02000000 01000600ffffffff 02000600f5520000 04000400ffffffff 10000600ffffffff 20000000ffffffff".replace(" ", "")
)
"""user::rw- user:21237:rw- group::r-- mask::rw- other::---"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def back_up(data: Path) -> Manifest:
    roots, folder = {"data": data}, data.parent / "backup"
    return archive.create(roots, folder, PACE, backup="b", app="shop", version="v1", revision="abc", reason="test")


def put_back(data: Path) -> Manifest:
    return restore.restore(data.parent / "backup", {"data": data})


def groups(data: Path) -> list[set[str]]:
    """The names that are one file, of each file."""
    found: dict[int, set[str]] = {}
    for path in data.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found.setdefault(path.stat().st_ino, set()).add(str(path.relative_to(data)))
    return sorted(found.values(), key=sorted)


def test_hard_links_come_back_as_hard_links(data: Path) -> None:
    (data / "a").mkdir()
    (data / "a" / "mail").write_text("mail")
    for name in ("a/zzz", "b", "c"):
        os.link(data / "a" / "mail", data / name)
    (data / "other").write_text("mail")
    os.link(data / "a" / "mail", data.parent / "a name outside of the data")
    before = groups(data)

    made = back_up(data)
    archive.verify(data.parent / "backup", PACE)
    same = compare(data.parent / "backup", {"data": data}, PACE)
    put_back(data)

    assert groups(data) == before == [{"a/mail", "a/zzz", "b", "c"}, {"other"}]
    assert same == Difference((), (), ())
    assert (made.data_size, made.notes) == (8, ())
    assert (data / "b").stat().st_nlink == 4, "and not of the file that was outside"


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 4), st.sampled_from(["", "x/", "x/y/", "z/"])), max_size=12))
def test_any_grouping_of_names_comes_back(
    tmp_path_factory: pytest.TempPathFactory, names: list[tuple[int, str]]
) -> None:
    data = tmp_path_factory.mktemp("any") / "data"
    data.mkdir()
    first: dict[int, Path] = {}
    for number, (file, folder) in enumerate(names):
        path = data / folder / f"{number}"
        path.parent.mkdir(parents=True, exist_ok=True)
        if file in first:
            os.link(first[file], path)
        else:
            first[file] = path
            path.write_text(f"content {file}")
    before = groups(data)
    back_up(data)

    put_back(data)

    assert groups(data) == before


def test_a_database_with_two_names_keeps_the_rows_of_both(data: Path) -> None:
    with closing(sqlite3.connect(data / "a.db", isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("CREATE TABLE orders (id INTEGER)")
    os.link(data / "a.db", data / "b.db")
    os.link(data / "a.db", data / "c.db")
    # Another process, which leaves its log: SQLite gives one process one log of a file, whatever the name.
    writes = "database.execute('INSERT INTO orders VALUES (7)'); os._exit(0)"
    opens = "import os, sqlite3; database = sqlite3.connect('b.db', isolation_level=None)"
    subprocess.run([sys.executable, "-c", f"{opens}; {writes}"], cwd=data, check=True)

    made = back_up(data)

    assert groups_of_archive(data) == {"data/c.db": "data/a.db"}
    assert made.notes == (
        "'data/b.db' and 'data/a.db' were one database with two names, and are two in the backup: rows were written "
        "under both",
    )


def groups_of_archive(data: Path) -> dict[str, str]:
    with tarfile.open(data.parent / "backup" / "data.tar.gz") as packed:
        return {member.name: member.linkname for member in packed if member.islnk()}


def test_a_number_that_another_file_got_meanwhile_makes_no_link(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first file was removed after it was packed, and another one got its number."""
    (data / "a").write_text("the first file")
    os.link(data / "a", data / "b")
    walked = copy.entries_of

    def walk(root: Folder) -> Iterator[Entry]:
        for entry in walked(root):
            yield entry
            if entry.name == "a":
                (data / "a").unlink()
                (data / "b").write_text("written over")

    monkeypatch.setattr(pack, "entries_of", walk)

    back_up(data)

    assert groups_of_archive(data) == {}


def linked_to(target: str) -> Callable[[Path], None]:
    """A backup whose manifest and checksum fit, and whose archive has a hard link to `target`."""

    def make(folder: Path) -> None:
        folder.mkdir()
        with tarfile.open(folder / "data.tar.gz", "w:gz") as packed:
            for name in ("config/secret", "data/a"):
                member = tarfile.TarInfo(name)
                member.size = 1
                packed.addfile(member, io.BytesIO(b"x"))
            link = tarfile.TarInfo("data/link")
            link.type, link.linkname = tarfile.LNKTYPE, target
            packed.addfile(link)
        content = (folder / "data.tar.gz").read_bytes()
        digest = hashlib.sha256
        files = [{"path": name, "size": 1, "sha256": digest(b"x").hexdigest()} for name in ("config/secret", "data/a")]
        manifest = {
            "id": "b", "app": "shop", "version": "v1", "revision": "", "reason": "", "format": 3,
            "created_at": "2026-01-01T00:00:00+00:00", "archive_sha256": digest(content).hexdigest(),
            "archive_size": len(content), "files": files, "places": ["data/link"],
        }  # fmt: skip
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return make


OUTSIDE = [
    "/etc/passwd",
    "../outside",
    "data/../../outside",
    "data/link",
    "data/none",
    "config/secret",
    "data",
    "",
    "a",
]


@pytest.mark.parametrize("target", OUTSIDE)
def test_a_hard_link_to_anything_but_a_file_of_the_backup_is_refused(data: Path, target: str) -> None:
    (data.parent / "outside").write_text("of somebody else")
    linked_to(target)(data.parent / "backup")

    with pytest.raises(DamagedBackup, match="'data/link' is to no file of the backup"):
        put_back(data)

    assert list(data.iterdir()) == []


def test_a_hard_link_to_a_file_of_the_backup_is_made(data: Path) -> None:
    linked_to("data/a")(data.parent / "backup")

    put_back(data)

    assert groups(data) == [{"a", "link"}]


VALUES = [b"", b"text", b"\0\xff\n12 path=/etc/passwd\n", b"21 hdrcharset=BINARY\n", b"x" * 3000, "ü".encode()]
NAMES = ["user.a", "user.a=b%3D", "user. \n", "user.\udcff", "user.ü"]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("name", NAMES)
def test_attributes_of_files_and_folders_come_back(data: Path, name: str, value: bytes) -> None:
    (data / "folder").mkdir()
    (data / "folder" / "file").write_text("content")
    with closing(sqlite3.connect(data / "folder" / "shop.db")) as database:
        database.execute("CREATE TABLE orders (id INTEGER)")
    paths = [data / "folder", data / "folder" / "file", data / "folder" / "shop.db"]
    for path in paths:
        os.setxattr(path, name, value)
    made = back_up(data)
    for path in paths:
        os.removexattr(path, name)

    put_back(data)

    assert [os.getxattr(path, name) for path in paths] == [value] * 3
    assert made.notes == ()
    assert (data / "folder" / "file").read_text() == "content"


def test_access_control_lists_come_back_and_the_mode_with_them(data: Path) -> None:
    (data / "folder").mkdir()
    (data / "file").write_text("content")
    for path, names in ((data / "folder", (ACCESS, DEFAULT)), (data / "file", (ACCESS,))):
        for name in names:
            os.setxattr(path, name, ACL)
    modes = [(data / name).stat().st_mode for name in ("folder", "file")]
    back_up(data)
    for path in (data / "folder", data / "file"):
        path.rmdir() if path.is_dir() else path.unlink()

    put_back(data)

    assert [os.getxattr(data / "folder", name) for name in (ACCESS, DEFAULT)] == [ACL, ACL]
    assert os.getxattr(data / "file", ACCESS) == ACL
    assert [(data / name).stat().st_mode for name in ("folder", "file")] == modes


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file such rights")
def test_what_gives_a_file_rights_is_not_kept_and_said(data: Path) -> None:
    for name in ("ping", "pong"):
        (data / name).write_text("a program")
        os.setxattr(data / name, "security.capability", bytes.fromhex("0100000200200000000000000000000000000000"))

    made = back_up(data)
    put_back(data)

    assert os.listxattr(data / "ping") == []
    assert made.summary.notes == ("the extended attribute security.capability of 'data/ping' and 1 other is not kept",)


def test_more_than_a_backup_keeps_of_one_file_is_said(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attributes, "MOST_BYTES", 20)
    (data / "file").touch()
    for name in ("user.a", "user.b"):
        os.setxattr(data / "file", name, b"0123456789")

    assert back_up(data).notes == ("the extended attribute user.* of 'data/file' is not kept",)


def test_a_file_system_without_attributes_takes_the_data_and_it_is_said(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (data / "file").write_text("content")
    os.setxattr(data / "file", "user.a", b"x")
    back_up(data)

    def refuses(*_: object) -> None:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuses)
    restored = put_back(data)

    assert (data / "file").read_text() == "content"
    assert restored.summary.notes == (
        "the file system of the data has no extended attribute user.a: 'data/file' came back without",
    )


def test_an_attribute_that_does_not_fit_leaves_the_data_as_it_was(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (data / "file").write_text("before")
    os.setxattr(data / "file", "user.a", b"x")
    back_up(data)
    (data / "file").write_text("after")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "setxattr", full)
    with pytest.raises(OSError, match="No space left"):
        put_back(data)

    assert [(path.name, path.read_text()) for path in data.iterdir()] == [("file", "after")]

"""One backup: a folder with `data.tar.gz` and `manifest.json`. Nothing but the standard library, for the sidecar.

The archive has a folder each for what was backed up: `data` is the app's volume, `dump` what a database server's dump
command wrote, `config` and `logs` are for whoever looks into it later. Data and dump are what a restore puts back.
SQLite databases are copied by SQLite's online backup (https://sqlite.org/backup.html), which gives one consistent
moment while others write; every other file is copied as it is.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.backups.manifest import (
    ARCHIVE,
    FORMAT,
    MANIFEST,
    DamagedBackup,
    File,
    Manifest,
    NoRoom,
    read_manifest,
)

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SQLITE_HEADER = b"SQLite format 3\0"
SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")
CHUNK = 1024 * 1024
FLUSH = 4 * CHUNK
"""So much is written before it is made to go to the disk."""
RESERVE = 16 * CHUNK
"""Room that must be left on the backups' disk beyond the data's own size."""
DATA, DUMP = "data", "dump"
FRESH, LEAVING, PUT_ASIDE = ".changeover-restore", ".changeover-leaving", ".changeover-before-restore"
"""In a volume during a restore: what is to come; what is being put aside; and all of it, once it is."""


def create(
    roots: dict[str, Path], folder: Path, *, backup: str, app: str, version: str, revision: str, reason: str
) -> Manifest:
    """Back `roots`, each by its name in the archive, up into `folder`: whole or not at all. Raises NoRoom."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sources = [(name, root, path) for name, root in roots.items() for path in _files_of(root)]
    needed = sum(path.stat().st_size for _, _, path in sources) + RESERVE
    if (free := shutil.disk_usage(folder.parent).free) < needed:
        raise NoRoom(
            f"The backup may need {needed // CHUNK} MB, and {free // CHUNK} MB are free where backups are kept."
        )
    growing = folder.with_name(folder.name + ".new")
    shutil.rmtree(growing, ignore_errors=True)
    growing.mkdir()
    try:
        return _write(sources, growing, folder, backup, app, version, revision, reason)
    except BaseException:
        shutil.rmtree(growing, ignore_errors=True)
        raise


def _write(
    sources: list[tuple[str, Path, Path]],
    growing: Path,
    folder: Path,
    backup: str,
    app: str,
    version: str,
    revision: str,
    reason: str,
) -> Manifest:
    files = []
    moment = datetime.now(UTC).isoformat()
    with (
        Flushed(growing / ARCHIVE) as packing,
        tarfile.open(fileobj=packing, mode="w:gz", compresslevel=1) as archive,
        tempfile.TemporaryDirectory(dir=growing) as tmp,
    ):
        for root_name, root, source in sources:
            name = f"{root_name}/{source.relative_to(root)}"
            database = _is_sqlite(source)
            copy = Path(tmp) / "copy"
            schema = _copy_database(source, copy) if database else _copy_file(source, copy)
            entry = archive.gettarinfo(str(copy), name)
            owner = source.stat()
            entry.uid, entry.gid, entry.mode = owner.st_uid, owner.st_gid, owner.st_mode & 0o777
            with copy.open("rb") as content:
                archive.addfile(entry, content)
            files.append(File(name, copy.stat().st_size, _digest(copy), database, schema))
            copy.unlink()
    packed = growing / ARCHIVE
    manifest = Manifest(
        backup, app, version, revision, reason, moment,
        _digest(packed), packed.stat().st_size, tuple(files), FORMAT,
    )  # fmt: skip
    (growing / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
    for path in (packed, growing / MANIFEST, growing):
        _sync(path)
    growing.rename(folder)
    _sync(folder.parent)
    return manifest


def verify(folder: Path) -> Manifest:
    """Read every byte of it. Raises DamagedBackup with the first thing that is not as the manifest says."""
    with tempfile.TemporaryDirectory() as tmp:
        return _unpack(folder, Path(tmp))


def restore(folder: Path, roots: dict[str, Path]) -> Manifest:
    """Replace what is in `roots`, which nobody may write meanwhile, by the backup.

    All is unpacked and checked beside the data before the first file is moved; what was there is put aside until the
    new files are in their place. Raises DamagedBackup or NoRoom, having touched nothing.
    """
    settle(roots)
    staging = next(iter(roots.values())) / FRESH
    manifest = read_manifest(folder)
    needed = manifest.data_size + RESERVE
    if (free := shutil.disk_usage(staging.parent).free) < needed:
        raise NoRoom(f"The data needs {needed // CHUNK} MB to be unpacked, and {free // CHUNK} MB are free beside it.")
    staging.mkdir()
    try:
        _unpack(folder, staging)
        for name, root in roots.items():
            _replace(root, staging / name)
        return manifest
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace(root: Path, fresh: Path) -> None:
    leaving, aside = root / LEAVING, root / PUT_ASIDE
    leaving.mkdir()
    for path in [one for one in root.iterdir() if one.name not in (LEAVING, FRESH)]:
        path.rename(leaving / path.name)
    leaving.rename(aside)
    if fresh.is_dir():
        for path in list(fresh.iterdir()):
            shutil.move(path, root / path.name)
    _sync(root)
    shutil.rmtree(aside)


def settle(roots: dict[str, Path]) -> None:
    """Undo a restore that was stopped in the middle: what was there is there again."""
    for root in roots.values():
        leaving, aside = root / LEAVING, root / PUT_ASIDE
        if aside.is_dir():
            for path in [one for one in root.iterdir() if one != aside]:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for old in (leaving, aside):
            if old.is_dir():
                for path in list(old.iterdir()):
                    path.rename(root / path.name)
                old.rmdir()
        shutil.rmtree(root / FRESH, ignore_errors=True)
        _sync(root)


def _unpack(folder: Path, target: Path) -> Manifest:
    manifest = read_manifest(folder)
    packed = folder / ARCHIVE
    if not packed.is_file():
        raise DamagedBackup(f"{folder.name}: {ARCHIVE} is missing.")
    if _digest(packed) != manifest.archive_sha256:
        raise DamagedBackup(f"{folder.name}: {ARCHIVE} is not the file that was written; its checksum differs.")
    expected = {file.path: file for file in manifest.files}
    with tarfile.open(packed, "r:gz") as archive:
        for member in archive:
            if not member.isreg():
                raise DamagedBackup(f"{folder.name}: '{member.name}' is not a plain file.")
            path = Path(member.name)
            if path.is_absolute() or ".." in path.parts:
                raise DamagedBackup(f"{folder.name}: '{member.name}' leads outside.")
            file = expected.pop(member.name, None)
            if file is None:
                raise DamagedBackup(f"{folder.name}: '{member.name}' does not stand in the manifest.")
            destination = target / (path if manifest.format >= 2 else Path(DATA) / path)
            destination.parent.mkdir(parents=True, exist_ok=True)
            content = archive.extractfile(member)
            assert content is not None  # a regular file has content
            with content, destination.open("wb") as out:
                shutil.copyfileobj(content, out, CHUNK)
            if _digest(destination) != file.sha256:
                raise DamagedBackup(f"{folder.name}: '{member.name}' is not what was backed up; its checksum differs.")
            os.chmod(destination, member.mode & 0o777)
            if os.geteuid() == 0:
                os.chown(destination, member.uid, member.gid)
                _own_folders(target, destination.relative_to(target), member.uid, member.gid)
            if file.sqlite:
                _check_database(destination, member.name)
    if expected:
        raise DamagedBackup(f"{folder.name}: '{next(iter(expected))}' is missing from the archive.")
    return manifest


def _own_folders(target: Path, path: Path, uid: int, gid: int) -> None:
    for parent in path.parents:
        if parent != Path("."):
            os.chown(target / parent, uid, gid)


def _files_of(data: Path) -> Iterator[Path]:
    for path in sorted(data.rglob("*")):
        if any(part.startswith(".changeover-") for part in path.relative_to(data).parts):
            continue
        if path.is_symlink() or not path.is_file():
            continue
        if any(str(path).endswith(end) and _is_sqlite(Path(str(path).removesuffix(end))) for end in SQLITE_COMPANIONS):
            continue
        yield path


def _is_sqlite(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE_HEADER)) == SQLITE_HEADER
    except FileNotFoundError:
        return False


class Flushed(io.BufferedWriter):
    """A new file that goes to the disk bit by bit.

    Whoever has its own file synced on the same disk waits for all that is on its way there; so never much is. What is
    there leaves the memory, which others can use better.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path, "w"), CHUNK)
        self._since = 0

    def write(self, content: ReadableBuffer, /) -> int:
        written = super().write(content)
        self._since += written
        if self._since >= FLUSH:
            self.flush()
            _flush(self.fileno())
            self._since = 0
        return written


def _copy_database(source: Path, copy: Path) -> str:
    """In small steps, all of the one moment that the open transaction sees. In WAL mode that holds nobody up.

    Gives the schema's revision.
    """
    with (
        closing(sqlite3.connect(source, timeout=30, isolation_level=None)) as live,
        closing(sqlite3.connect(copy, isolation_level=None)) as out,
    ):
        out.execute("PRAGMA journal_mode=OFF")
        out.execute("PRAGMA synchronous=OFF")
        live.execute("BEGIN")
        (page_size,) = live.execute("PRAGMA page_size").fetchone()
        live.execute("SELECT count(*) FROM sqlite_master").fetchone()
        with copy.open("rb") as written:
            live.backup(out, pages=max(1, FLUSH // page_size), progress=lambda *_: _flush(written.fileno()), sleep=0)
        live.execute("ROLLBACK")
        # The copy stands alone: no write-ahead log beside it.
        out.execute("PRAGMA journal_mode=DELETE")
        try:
            row = out.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return ""
        return str(row[0]) if row else ""


def _flush(descriptor: int) -> None:
    os.fdatasync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _copy_file(source: Path, copy: Path) -> str:
    with source.open("rb") as content, Flushed(copy) as out:
        shutil.copyfileobj(content, out, CHUNK)
    return ""


def _check_database(path: Path, name: str) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            (found,) = database.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise DamagedBackup(f"'{name}' is no SQLite database any more: {error}.") from error
    if found != "ok":
        raise DamagedBackup(f"'{name}' is damaged: {found}.")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

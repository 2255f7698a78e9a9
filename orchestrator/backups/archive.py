"""One backup: a folder with `data.tar.gz` and `manifest.json`. Nothing but the standard library, for the sidecar.

The archive has a folder each for what was backed up: `data` is the app's volume, `dump` what a database server's dump
command wrote, `config` and `logs` are for whoever looks into it later. Data and dump are what a restore puts back.
SQLite databases are copied by SQLite's online backup (https://sqlite.org/backup.html), which gives one consistent
moment while others write; every other file is copied as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.backups.copying import (
    CHUNK,
    Flushed,
    Hashed,
    copy_database,
    copy_file,
    digest,
    files_of,
    is_sqlite,
    sync,
)
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

MEGABYTE = 2**20
RESERVE = 16 * MEGABYTE
"""Room that must be left on the backups' disk beyond the data's own size."""
DATA, DUMP = "data", "dump"


def create(
    roots: dict[str, Path], folder: Path, *, backup: str, app: str, version: str, revision: str, reason: str
) -> Manifest:
    """Back `roots`, each by its name in the archive, up into `folder`: whole or not at all. Raises NoRoom."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sources = [(name, root, path) for name, root in roots.items() for path in files_of(root)]
    needed = sum(path.stat().st_size for _, _, path in sources) + RESERVE
    if (free := shutil.disk_usage(folder.parent).free) < needed:
        raise NoRoom(
            f"The backup may need {needed // MEGABYTE} MB, and {free // MEGABYTE} MB are free where backups are kept."
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
            copy = Path(tmp) / "copy"
            schema = ""
            if database := is_sqlite(source):
                schema = copy_database(source, copy)
            else:
                copy_file(source, copy)
            entry = archive.gettarinfo(str(copy), name)
            owner = source.stat()
            entry.uid, entry.gid, entry.mode = owner.st_uid, owner.st_gid, owner.st_mode & 0o777
            with copy.open("rb") as file:
                content = Hashed(file)
                archive.addfile(entry, content)
            files.append(File(name, entry.size, content.sha256, database, schema))
            copy.unlink()
    packed = growing / ARCHIVE
    manifest = Manifest(
        backup, app, version, revision, reason, moment,
        packing.sha256, packed.stat().st_size, tuple(files), FORMAT,
    )  # fmt: skip
    (growing / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
    for path in (packed, growing / MANIFEST, growing):
        sync(path)
    growing.rename(folder)
    sync(folder.parent)
    return manifest


def verify(folder: Path) -> Manifest:
    """Read every byte of it. Raises DamagedBackup with the first thing that is not as the manifest says."""
    with tempfile.TemporaryDirectory() as tmp:
        return unpack(folder, Path(tmp))


def unpack(folder: Path, target: Path) -> Manifest:
    """Into an empty folder, every byte checked. Raises DamagedBackup with the first thing that is wrong."""
    manifest = read_manifest(folder)
    packed = folder / ARCHIVE
    if not packed.is_file():
        raise DamagedBackup(f"{folder.name}: {ARCHIVE} is missing.")
    if digest(packed) != manifest.archive_sha256:
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
            with content, Flushed(destination) as out:
                shutil.copyfileobj(content, out, CHUNK)
            if out.sha256 != file.sha256:
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


def _check_database(path: Path, name: str) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            (found,) = database.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise DamagedBackup(f"'{name}' is no SQLite database any more: {error}.") from error
    if found != "ok":
        raise DamagedBackup(f"'{name}' is damaged: {found}.")

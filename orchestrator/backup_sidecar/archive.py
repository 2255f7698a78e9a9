"""One backup: a folder with `data.tar.gz` and `manifest.json`. Standard library only.

Folders in the archive: `data` is the app's volume, `dump` the output of the app's dump command, `config` and `logs` are
for people. A restore replaces `data` and `dump`. SQLite databases are copied by SQLite's online backup
(https://sqlite.org/backup.html), which is consistent while the app writes; every other file is copied as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.backup_sidecar.copy import (
    CHUNK,
    Flushed,
    Hashed,
    Pace,
    copy_database,
    copy_file,
    digest,
    entries_of,
    is_sqlite,
    size_of,
    stays_inside,
    sync,
)
from orchestrator.backup_sidecar.manifest import (
    ARCHIVE,
    FOLDERS_SINCE,
    FORMAT,
    MANIFEST,
    NUMBER,
    DamagedBackup,
    File,
    Manifest,
    NoRoom,
    read_manifest,
)

MEGABYTE = 2**20
RESERVE = 16 * MEGABYTE
"""The disk space that must stay free in addition to the size of the data, in bytes."""
DATA, DUMP = "data", "dump"


def create(
    roots: dict[str, Path],
    folder: Path,
    pace: Pace,
    *,
    backup: str,
    app: str,
    version: str,
    revision: str,
    reason: str,
    data_schema: str = "",
    applied: str = "",
    image: str = "",
    deployment: str = "",
    after: int = 0,
    number: int = 0,
) -> Manifest:
    """Back up `roots`, by their names in the archive, into `folder`, which appears only when it is complete.

    Raises NoRoom when disk space is short.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    sources = [(f"{name}/{path.relative_to(root)}", path) for name, root in roots.items() for path in entries_of(root)]
    sizes = [size_of(path) for _, path in sources]
    # The data may not be compressible, and each file is copied before it is packed.
    needed = sum(sizes) + max(sizes, default=0) + RESERVE
    if (free := shutil.disk_usage(folder.parent).free) < needed:
        raise NoRoom(
            f"Not enough disk space for the backup: {free // MEGABYTE} MB free, {needed // MEGABYTE} MB required."
        )
    growing = folder.with_name(folder.name + ".new")
    shutil.rmtree(growing, ignore_errors=True)
    growing.mkdir()
    moment = datetime.now(UTC).isoformat()
    packed = growing / ARCHIVE
    try:
        content = _pack(sources, packed, pace)
        manifest = Manifest(
            backup, app, version, revision, reason, moment, content.sha256, packed.stat().st_size,
            tuple(content.files), FORMAT, tuple(content.places), tuple(content.left_out), data_schema,
            applied, image, deployment, after,
        )  # fmt: skip
        (growing / MANIFEST).write_text(json.dumps(asdict(manifest), indent=1))
        (growing / NUMBER).write_text(str(number))
        for path in (packed, growing / MANIFEST, growing / NUMBER, growing):
            sync(path)
        growing.rename(folder)
    except BaseException:
        shutil.rmtree(growing, ignore_errors=True)
        raise
    sync(folder.parent)
    return manifest


@dataclass
class _Content:
    """What is packed: files; folders and links (`places`); and links that are left out because restore refuses them."""

    files: list[File] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    sha256: str = ""


def _pack(sources: list[tuple[str, Path]], packed: Path, pace: Pace) -> _Content:
    content = _Content()
    with (
        Flushed(packed, pace) as packing,
        tarfile.open(fileobj=packing, mode="w:gz", compresslevel=1) as archive,
        tempfile.TemporaryDirectory(dir=packed.parent) as tmp,
    ):
        for name, source in sources:
            try:
                if source.is_symlink() and not stays_inside(name, str(source.readlink())):
                    content.left_out.append(name)
                elif source.is_symlink() or source.is_dir():
                    archive.addfile(archive.gettarinfo(str(source), name))
                    content.places.append(name)
                else:
                    content.files.append(_pack_file(source, archive, name, Path(tmp) / "copy", pace))
            except (FileNotFoundError, sqlite3.OperationalError):
                # The app runs: a file that it has removed meanwhile is not part of its data.
                if os.path.lexists(source):
                    raise
    content.sha256 = packing.sha256
    return content


def _pack_file(source: Path, archive: tarfile.TarFile, name: str, copy: Path, pace: Pace) -> File:
    schema = ""
    if database := is_sqlite(source):
        schema = copy_database(source, copy, pace)
    else:
        copy_file(source, copy, pace)
    entry = archive.gettarinfo(str(source), name)
    entry.size = copy.stat().st_size
    # A hard link is packed as a regular file.
    entry.type, entry.linkname = tarfile.REGTYPE, ""
    with copy.open("rb") as file:
        content = Hashed(file, pace)
        archive.addfile(entry, content)
    copy.unlink()
    return File(name, entry.size, content.sha256, database, schema)


def verify(folder: Path, pace: Pace) -> Manifest:
    """Read and check every byte of a backup. Raises DamagedBackup with the first error."""
    with tempfile.TemporaryDirectory() as tmp:
        return unpack(folder, Path(tmp), pace)


def unpack(folder: Path, target: Path, pace: Pace) -> Manifest:
    """Unpack a backup into an empty folder, and check every byte. Raises DamagedBackup with the first error."""
    manifest = read_manifest(folder)
    packed = folder / ARCHIVE
    if not packed.is_file():
        raise DamagedBackup(f"{folder.name}: {ARCHIVE} is missing.")
    if digest(packed, pace) != manifest.archive_sha256:
        raise DamagedBackup(f"{folder.name}: {ARCHIVE} was changed after it was written: its checksum differs.")
    missing = {file.path: file for file in manifest.files} | dict.fromkeys(manifest.places)
    places = []
    with tarfile.open(packed, "r:gz") as archive:
        for member in archive:
            path = Path(member.name)
            if path.is_absolute() or ".." in path.parts:
                raise DamagedBackup(f"{folder.name}: the path '{member.name}' is outside of the archive.")
            if member.name not in missing:
                raise DamagedBackup(f"{folder.name}: '{member.name}' is not in the manifest.")
            file = missing.pop(member.name)
            destination = target / (path if manifest.format >= 2 else Path(DATA) / path)
            destination.parent.mkdir(parents=True, exist_ok=True)
            if manifest.format < FOLDERS_SINCE:
                _own_folders(target, destination.relative_to(target), member)
            if file is None:
                places.append((destination, member))
                _make_place(destination, member, folder.name)
            else:
                _unpack_file(archive, member, file, destination, folder.name, pace)
    if missing:
        raise DamagedBackup(f"{folder.name}: '{next(iter(missing))}' is missing from the archive.")
    for destination, member in reversed(places):
        # Last: a link's target must exist, and adding files changes a folder's time.
        if member.issym():
            destination.symlink_to(member.linkname)
        _as_it_was(destination, member)
    return manifest


def _make_place(destination: Path, member: tarfile.TarInfo, backup: str) -> None:
    if member.issym():
        if not stays_inside(member.name, member.linkname):
            raise DamagedBackup(f"{backup}: the link '{member.name}' points outside of the data.")
    elif member.isdir():
        destination.mkdir(exist_ok=True)
    else:
        raise DamagedBackup(f"{backup}: '{member.name}' is neither a folder nor a link.")


def _unpack_file(
    archive: tarfile.TarFile, member: tarfile.TarInfo, file: File, destination: Path, backup: str, pace: Pace
) -> None:
    if not member.isreg():
        raise DamagedBackup(f"{backup}: '{member.name}' is not a regular file.")
    content = archive.extractfile(member)
    assert content is not None  # a regular file has content
    with content, Flushed(destination, pace) as out:
        shutil.copyfileobj(content, out, CHUNK)
    if out.sha256 != file.sha256:
        raise DamagedBackup(f"{backup}: '{member.name}' was changed after it was backed up: its checksum differs.")
    _as_it_was(destination, member)
    if file.sqlite:
        _check_database(destination, member.name)


def _own_folders(target: Path, path: Path, member: tarfile.TarInfo) -> None:
    if os.geteuid() == 0:
        for parent in path.parents[:-1]:
            os.chown(target / parent, member.uid, member.gid)


def _as_it_was(path: Path, member: tarfile.TarInfo) -> None:
    if os.geteuid() == 0:
        os.chown(path, member.uid, member.gid, follow_symlinks=False)
    if not member.issym():
        path.chmod(member.mode & 0o7777)
        os.utime(path, (member.mtime, member.mtime))


def _check_database(path: Path, name: str) -> None:
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
            (found,) = database.execute("PRAGMA integrity_check").fetchone()
    except sqlite3.DatabaseError as error:
        raise DamagedBackup(f"'{name}' is not a valid SQLite database: {error}.") from error
    if found != "ok":
        raise DamagedBackup(f"'{name}' is damaged: {found}.")

"""One backup: a folder with `data.tar.gz` and `manifest.json`. Standard library only.

Folders in the archive: `data` is the app's volume, `dump` the output of the app's dump command, `config` and `logs` are
for people. A restore replaces `data` and `dump`. SQLite databases are copied by SQLite's online backup
(https://sqlite.org/backup.html), which is consistent while the app writes; every other file is copied as it is.

The app may change its data meanwhile in any way, also to mislead: nothing outside of it is read.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import tarfile
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.backup_sidecar.content import forget_members, unpack, verify
from orchestrator.backup_sidecar.copied_file import copy_of
from orchestrator.backup_sidecar.copy import Flushed, Hashed, Pace, entries_of, extents, opened, stays_inside, sync
from orchestrator.backup_sidecar.jail import scratch_of
from orchestrator.backup_sidecar.manifest import (
    ARCHIVE,
    DATA,
    DUMP,
    FORMAT,
    MANIFEST,
    MEGABYTE,
    NUMBER,
    RESERVE,
    File,
    Manifest,
    NoRoom,
    Unsuitable,
    write_manifest,
)
from orchestrator.files.beneath import Entry, Folder, NotAFile

__all__ = ["DATA", "DUMP", "create", "unpack", "verify"]

MOST_HOLES = 16 * 2**30
"""Files may have so many bytes of holes: packing them takes time, although they take no disk space."""
TRIES = 3
"""What the app replaces while it is copied is copied again, so often."""
UNFINISHED = ".new"
"""The end of the name of a backup that is being made."""


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
    jail: Path | None = None,
) -> Manifest:
    """Back up `roots`, by their names in the archive, into `folder`, which appears only when it is complete.

    SQLite works in `jail`, which must have the roots with databases, and a folder `scratch`. Raises NoRoom when disk
    space is short, and Unsuitable or LeadsOutside for data that no backup can hold.
    """
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    remove_unfinished(folder.parent)
    growing = folder.with_name(folder.name + UNFINISHED)
    with ExitStack() as stack:
        held = {name: stack.enter_context(Folder.open(root)) for name, root in roots.items()}
        needed = _needed(held)
        if (free := shutil.disk_usage(folder.parent).free) < needed:
            raise NoRoom(
                f"Not enough disk space for the backup: {free // MEGABYTE} MB free, {needed // MEGABYTE} MB required."
            )
        growing.mkdir(mode=0o700)
        moment = datetime.now(UTC).isoformat()
        packed = growing / ARCHIVE
        try:
            content = _pack(held, packed, pace, jail)
            manifest = Manifest(
                backup, app, version, revision, reason, moment, content.sha256, packed.stat().st_size,
                tuple(content.files), FORMAT, tuple(content.places), tuple(content.left_out), data_schema,
                applied, image, deployment, after, tuple(roots),
            )  # fmt: skip
            write_manifest(manifest, growing / MANIFEST)
            (growing / NUMBER).write_text(str(number))
            for path in (packed, growing / MANIFEST, growing / NUMBER, growing):
                sync(path)
            growing.rename(folder)
        except BaseException:
            shutil.rmtree(growing, ignore_errors=True)
            raise
    sync(folder.parent)
    return manifest


def remove_unfinished(folder: Path) -> list[str]:
    """Remove what backups that were killed have left: of one app, one is made at a time. Returns the names.

    Its room may be needed.
    """
    with Folder.open(folder) as kept:
        gone = [name for name in kept.names() if name.endswith(UNFINISHED)]
        for name in gone:
            kept.remove(name)
    return gone


@dataclass
class _Content:
    """What is packed: files; folders and links (`places`); and what is left out because no backup may have it."""

    files: list[File] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    sha256: str = ""


def _needed(roots: dict[str, Folder]) -> int:
    """The disk space that a backup may take, in bytes. Raises Unsuitable for too many holes.

    The data may not be compressible, and each file is copied before it is packed.
    """
    sizes, holes = [0], 0
    for root in roots.values():
        for entry in entries_of(root):
            if entry.is_file:
                size = _data_in(root, entry)
                sizes.append(size)
                holes += entry.status.st_size - size
                if holes > MOST_HOLES:
                    raise Unsuitable(
                        f"The data has files with more than {MOST_HOLES // 2**30} GiB of holes, such as '{entry.name}'."
                    )
    return sum(sizes) + max(sizes) + RESERVE


def _data_in(root: Folder, entry: Entry) -> int:
    """The size of a file without its holes. A file that compresses on disk has none."""
    size = entry.status.st_size
    if entry.status.st_blocks * 512 >= size // 2:
        return size
    try:
        with opened(root, entry.name) as file:
            return sum(end - start for start, end in extents(file, size))
    except (FileNotFoundError, NotADirectoryError, NotAFile):
        return 0


def _pack(roots: dict[str, Folder], packed: Path, pace: Pace, jail: Path | None) -> _Content:
    content = _Content()
    with (
        Flushed(packed, pace) as packing,
        tarfile.open(fileobj=packing, mode="w:gz", compresslevel=1) as archive,
        tempfile.TemporaryDirectory(dir=scratch_of(jail, packed.parent)) as tmp,
    ):
        into = _Packing(archive, content, Path(tmp) / "copy", pace, jail)
        for name, root in roots.items():
            for entry in entries_of(root):
                into.add(root, entry, f"{name}/{entry.name}")
    content.sha256 = packing.sha256
    return content


@dataclass(frozen=True)
class _Packing:
    archive: tarfile.TarFile
    content: _Content
    copy: Path
    pace: Pace
    jail: Path | None

    def add(self, root: Folder, entry: Entry, name: str) -> None:
        """Pack what the app has at this entry. What it has removed meanwhile is not part of its data."""
        for _ in range(TRIES):
            try:
                self._add(root, entry, name)
                return
            except (FileNotFoundError, NotADirectoryError, NotAFile):
                try:
                    entry = Entry(entry.name, root.status(entry.name))
                except (FileNotFoundError, NotADirectoryError):
                    return
            except sqlite3.OperationalError:
                if root.has(entry.name):
                    raise
                return
            finally:
                self.copy.unlink(missing_ok=True)
        if entry.is_file:
            # A backup that lacks a file of the app must not look as if it were complete.
            raise OSError(f"'{name}' is replaced faster than it can be copied")
        self.content.left_out.append(name)

    def _add(self, root: Folder, entry: Entry, name: str) -> None:
        if entry.is_link:
            self._add_link(root, entry, name)
        elif entry.is_folder:
            self._add_place(_header(name, entry.status, tarfile.DIRTYPE))
        elif entry.is_file:
            self.content.files.append(self._packed(root, entry.name, name))
        else:
            self.content.left_out.append(name)

    def _add_link(self, root: Folder, entry: Entry, name: str) -> None:
        target = root.link_target(entry.name)
        if not stays_inside(name, target):
            self.content.left_out.append(name)
            return
        header = _header(name, entry.status, tarfile.SYMTYPE)
        header.linkname = target
        self._add_place(header)

    def _add_place(self, header: tarfile.TarInfo) -> None:
        self.archive.addfile(header)
        forget_members(self.archive)
        self.content.places.append(header.name)

    def _packed(self, root: Folder, path: str, name: str) -> File:
        made = copy_of(root, path, self.copy, self.pace, self.jail)
        # A hard link is packed as a regular file.
        header = _header(name, made.status, tarfile.REGTYPE)
        header.size = self.copy.stat().st_size
        with self.copy.open("rb") as copied:
            content = Hashed(copied, self.pace)
            self.archive.addfile(header, content)
        forget_members(self.archive)
        return File(name, header.size, content.sha256, made.is_database, made.schema, made.holes)


def _header(name: str, status: os.stat_result, kind: bytes) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.mode = kind, status.st_mode & 0o7777
    header.uid, header.gid, header.mtime = status.st_uid, status.st_gid, status.st_mtime
    return header

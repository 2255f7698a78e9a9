"""One backup: a folder with `data.tar.gz` and `manifest.json`. Standard library only.

Folders in the archive: `data` is the app's volume, `dump` the output of the app's dump command, `config` and `logs` are
for people. A restore replaces `data` and `dump`. SQLite databases are copied by SQLite's online backup
(https://sqlite.org/backup.html), which is consistent while the app writes; every other file is copied as it is.

The app may change its data meanwhile in any way, also to mislead: nothing outside of it is read.
"""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.backup_sidecar.content import unpack, verify
from orchestrator.backup_sidecar.copy import entries_of, extents, opened, sync
from orchestrator.backup_sidecar.manifest import (
    ARCHIVE,
    DATA,
    DUMP,
    FORMAT,
    MANIFEST,
    MEGABYTE,
    NUMBER,
    RESERVE,
    Manifest,
    NoRoom,
    Unsuitable,
    write_manifest,
)
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.backup_sidecar.pack import pack
from orchestrator.files.beneath import Entry, Folder, NotAFile

__all__ = ["DATA", "DUMP", "create", "unpack", "verify"]

MOST_HOLES = 16 * 2**30
"""Files may have so many bytes of holes: packing them takes time, although they take no disk space."""
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
        size, holes, needed = _size(held)
        if (free := shutil.disk_usage(folder.parent).free) < needed:
            raise NoRoom(
                f"Not enough disk space for the backup: {free // MEGABYTE} MB free, {needed // MEGABYTE} MB required."
            )
        pace.expect(size, 2 * size + holes)  # copied without its holes, and packed with them
        growing.mkdir(mode=0o700)
        moment = datetime.now(UTC).isoformat()
        packed = growing / ARCHIVE
        try:
            content = pack(held, packed, pace, jail)
            manifest = Manifest(
                backup, app, version, revision, reason, moment, content.sha256, packed.stat().st_size,
                tuple(content.files), FORMAT, tuple(content.places), tuple(content.left_out), data_schema,
                applied, image, deployment, after, tuple(roots), content.notes.sentences,
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


def _size(roots: dict[str, Folder]) -> tuple[int, int, int]:
    """The size of the data without its holes, that of the holes, and the disk space that a backup may take, in bytes.
    Raises Unsuitable for too many holes.

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
    return sum(sizes), holes, sum(sizes) + max(sizes) + RESERVE


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

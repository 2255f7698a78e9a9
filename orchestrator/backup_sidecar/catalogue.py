"""The backups of one app: which exist, and which are removed. Standard library only."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from orchestrator.backup_sidecar.manifest import ARCHIVE, DamagedBackup, Manifest, read_manifest, read_number

NO_SUCH_BACKUP = 3
"""The sidecar's exit code for NoSuchBackup."""


class NoSuchBackup(Exception):
    """The app has no backup with this id."""


@dataclass(frozen=True)
class Entry:
    """One backup: its manifest, or the `problem` of a damaged one. `size` is its disk space, in bytes.

    `number` is its place in the order in which the app's backups were made, 0 for those of earlier versions.
    """

    id: str
    size: int
    manifest: Manifest | None
    problem: str = ""
    number: int = 0


class Catalogue:
    """The backups of one app. Each is a folder whose name begins with the time at which it was made.

    The order is that of their numbers, because a clock can be set back; those without a number are older, in the order
    of their names.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def entries(self) -> list[Entry]:
        """All backups, the newest first. The content of the archives is not read; `archive.verify` does that."""
        folders = [one for one in self._folder.glob("*") if one.is_dir() and one.suffix != ".new"]
        return [_entry(one) for one in sorted(folders, key=lambda one: (read_number(one), one.name), reverse=True)]

    def next_number(self) -> int:
        return max((one.number for one in self.entries()), default=0) + 1

    def folder(self, backup: str) -> Path:
        """The folder of a backup. Raises NoSuchBackup."""
        if backup not in {one.id for one in self.entries()}:
            raise NoSuchBackup(backup)
        return self._folder / backup

    def prune(self, keep: int, also: Collection[str] = (), spare: Collection[str] = ()) -> list[str]:
        """Remove backups that are older than the newest `keep` undamaged ones, except for `also`. Returns their ids.

        Damaged backups are not counted in `keep`, nor are `spare` ones, of which only the newest is kept: they were
        made before deployments that failed without changing the data, and must not push out all others.
        """
        for unfinished in self._folder.glob("*.new"):
            shutil.rmtree(unfinished)
        entries = self.entries()
        good = [one.id for one in entries if one.manifest and one.id not in spare]
        ids = [one.id for one in entries]
        old = ids[ids.index(good[max(1, keep) - 1]) + 1 :] if len(good) > keep else []
        unneeded = {*old, *[one for one in ids if one in spare][1:]}
        gone = [one for one in ids if one in unneeded and one not in also]
        for backup in gone:
            shutil.rmtree(self._folder / backup)
        return gone

    def remove_all(self) -> list[str]:
        """Remove every backup, damaged and unfinished ones included. Returns their ids."""
        gone = [one.id for one in self.entries()]
        if self._folder.exists():
            shutil.rmtree(self._folder)
        return gone


def _entry(folder: Path) -> Entry:
    number = read_number(folder)
    size = sum(file.stat().st_size for file in folder.iterdir() if file.is_file())
    try:
        manifest = read_manifest(folder)
    except DamagedBackup as error:
        return Entry(folder.name, size, None, str(error), number)
    packed = folder / ARCHIVE
    if not packed.is_file():
        return Entry(folder.name, size, None, f"{folder.name}: {ARCHIVE} is missing.", number)
    if packed.stat().st_size != manifest.archive_size:
        problem = f"{folder.name}: {ARCHIVE} was changed after it was written: its size differs."
        return Entry(folder.name, size, None, problem, number)
    return Entry(folder.name, size, manifest, number=number)

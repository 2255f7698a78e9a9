"""The backups of one app: which exist, and which are removed. Standard library only."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from orchestrator.backup_sidecar import archive
from orchestrator.backup_sidecar.manifest import ARCHIVE, MANIFEST, DamagedBackup, Entry, read_manifest, read_number
from orchestrator.backup_sidecar.retention import unneeded
from orchestrator.files.beneath import Entry as FolderEntry
from orchestrator.files.beneath import Folder

NO_SUCH_BACKUP = 3
"""The sidecar's exit code for NoSuchBackup."""
NOT_SUITABLE = 4
"""Its exit code when the app's data is the cause, and not the place of the backups."""
DATA_NOT_WRITTEN = 5
"""Its exit code when the disk of the app's data is full, or takes nothing."""
EXTRA_FOLDER = ".extra"
"""The folder beside the backups in which a new backup's configuration and log are put before it is made."""
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}")
_GIVEN = re.compile(r"\d{8}-\d{6}-\d{6}")
"""The ids that the orchestrator gives."""


def is_id(name: str) -> bool:
    """Whether a backup can have this id: neither an option nor a path, nor one of Changeover's own folders."""
    return bool(_ID.fullmatch(name))


class NoSuchBackup(Exception):
    """The app has no backup with this id."""


class Catalogue:
    """The backups of one app. Each is a folder whose name begins with the time at which it was made.

    The order is that of their numbers, because a clock can be set back; those without a number are older, in the order
    of their names.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def entries(self) -> list[Entry]:
        """All backups, the newest first. The content of the archives is not read; `archive.verify` does that."""
        if not self._folder.is_dir():
            return []
        with Folder.open(self._folder) as kept:
            folders = [
                self._folder / entry.name for entry in kept.entries() if entry.is_folder and _is_ours(kept, entry)
            ]
        ordered = sorted(folders, key=lambda one: (read_number(one), one.name), reverse=True)
        return [entry for one in ordered if (entry := _entry(one))]

    def next_number(self) -> int:
        return max((one.number for one in self.entries()), default=0) + 1

    def folder(self, backup: str) -> Path:
        """The folder of a backup. Raises NoSuchBackup."""
        if backup not in {one.id for one in self.entries()}:
            raise NoSuchBackup(backup)
        return self._folder / backup

    def prune(self, keep: int, also: Collection[str] = (), spare: Collection[str] = ()) -> list[str]:
        """Remove backups that are older than the newest `keep` undamaged ones, except for `also`. Returns their ids.

        `retention` has the rules, and says what is `spare`.
        """
        gone = unneeded(self.entries(), keep, also, spare)
        for backup in gone:
            self._remove(backup)
        return gone

    def _remove(self, backup: str) -> None:
        """At once for whoever reads meanwhile: without some of its files it would be a damaged one. Of what a kill
        leaves, as of one that is being made, the next backup removes the rest."""
        leaving = self._folder / f"{backup}{archive.UNFINISHED}"
        (self._folder / backup).rename(leaving)
        shutil.rmtree(leaving)

    def remove(self, backup: str) -> list[str]:
        """Remove one backup, damaged or not, for ever. Returns its id. Raises NoSuchBackup."""
        self.folder(backup)
        self._remove(backup)
        return [backup]

    def remove_unfinished(self) -> list[str]:
        """Remove what a backup that was killed has left, and what was put there for it. None may be under way.

        Returns the names of what was left.
        """
        gone = archive.remove_unfinished(self._folder)
        with Folder.open(self._folder) as kept:
            kept.remove(EXTRA_FOLDER)
        return gone

    def remove_all(self) -> list[str]:
        """Remove every backup, damaged and unfinished ones included. Returns their ids."""
        gone = [one.id for one in self.entries()]
        if self._folder.is_dir():
            with Folder.open(self._folder) as kept:
                for name in kept.names():
                    kept.remove(name)
            with suppress(OSError):  # a sidecar has it as a mount
                self._folder.rmdir()
        return gone


def _is_ours(kept: Folder, entry: FolderEntry) -> bool:
    """Whether it is a backup, also a damaged one, and not a folder that a person has put beside them."""
    return is_id(entry.name) and bool(_GIVEN.fullmatch(entry.name) or kept.has(f"{entry.name}/{MANIFEST}"))


def _entry(folder: Path) -> Entry | None:
    """None for one that is removed meanwhile, which is not damaged."""
    entry = _as_it_is(folder)
    return entry if folder.is_dir() else None


def _as_it_is(folder: Path) -> Entry:
    number = read_number(folder)
    try:
        with Folder.open(folder) as kept:
            files = {entry.name: entry.status.st_size for entry in kept.entries() if entry.is_file}
    except FileNotFoundError:
        files = {}
    size = sum(files.values())
    try:
        manifest = read_manifest(folder)
    except DamagedBackup as error:
        return Entry(folder.name, size, None, str(error), number)
    if ARCHIVE not in files:
        return Entry(folder.name, size, None, f"{folder.name}: {ARCHIVE} is missing.", number)
    if files[ARCHIVE] != manifest.archive_size:
        problem = f"{folder.name}: {ARCHIVE} was changed after it was written: its size differs."
        return Entry(folder.name, size, None, problem, number)
    return Entry(folder.name, size, manifest.summary, number=number)

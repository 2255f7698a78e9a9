"""Packs the data of an app into the archive of a backup, entry by entry, while the app runs. Standard library only."""

from __future__ import annotations

import os
import sqlite3
import tarfile
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.backup_sidecar import attributes
from orchestrator.backup_sidecar.content import forget_members
from orchestrator.backup_sidecar.copied_file import CopiedFile, copy_of, has_rows_beside, place_of, remove_copies
from orchestrator.backup_sidecar.copy import Flushed, Hashed, entries_of, stays_inside
from orchestrator.backup_sidecar.jail import scratch_of
from orchestrator.backup_sidecar.manifest import File
from orchestrator.backup_sidecar.notes import Notes
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.files.beneath import Entry, Folder, NotAFile

TRIES = 3
"""What the app replaces while it is copied is copied again, so often."""


@dataclass
class Content:
    """What is packed: files; folders and links (`places`); what is left out because no backup may have it; and what
    is not as the app had it."""

    files: list[File] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    notes: Notes = field(default_factory=Notes)
    sha256: str = ""


def pack(roots: dict[str, Folder], packed: Path, pace: Pace, jail: Path | None) -> Content:
    """Write the archive `packed` of `roots`, by their names in it. Raises OSError, sqlite3.Error and LeadsOutside."""
    content = Content()
    with (
        Flushed(packed, pace) as packing,
        tarfile.open(fileobj=packing, mode="w:gz", compresslevel=1) as archive,
        tempfile.TemporaryDirectory(dir=scratch_of(jail, packed.parent)) as tmp,
    ):
        for name, root in roots.items():
            into = _Packing(archive, content, Path(tmp) / "copy", pace, jail, root, name)
            for entry in entries_of(root):
                into.add(entry)
    content.sha256 = packing.sha256
    return content


@dataclass(frozen=True)
class _Packing:
    """The packing of one root. `first_names`: of each file that has several names, the one that is packed."""

    archive: tarfile.TarFile
    content: Content
    copy: Path
    pace: Pace
    jail: Path | None
    root: Folder
    root_name: str
    first_names: dict[tuple[int, int], str] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Pack what the app has at this entry. What it has removed meanwhile is not part of its data."""
        for _ in range(TRIES):
            try:
                self._add(entry)
                return
            except (FileNotFoundError, NotADirectoryError, NotAFile):
                try:
                    entry = Entry(entry.name, self.root.status(entry.name))
                except (FileNotFoundError, NotADirectoryError):
                    return
            except sqlite3.OperationalError:
                if self.root.has(entry.name):
                    raise
                return
            finally:
                remove_copies(self.copy)
        if entry.is_file:
            # A backup that lacks a file of the app must not look as if it were complete.
            raise OSError(f"'{self._name(entry.name)}' is replaced faster than it can be copied")
        self.content.left_out.append(self._name(entry.name))

    def _name(self, path: str) -> str:
        """What the archive calls it."""
        return f"{self.root_name}/{path}"

    def _add(self, entry: Entry) -> None:
        name = self._name(entry.name)
        if entry.is_link:
            self._add_link(entry, name)
        elif entry.is_folder:
            with self.root.folder(entry.name) as folder:
                found = attributes.read(folder.descriptor)
            self._add_place(_header(name, entry.status, tarfile.DIRTYPE), found)
        elif entry.is_file:
            if first := self._first_name(entry):
                header = _header(name, entry.status, tarfile.LNKTYPE)
                header.linkname = self._name(first)
                self._add_place(header)
            else:
                self._add_file(entry.name)
        else:
            self.content.left_out.append(name)

    def _add_link(self, entry: Entry, name: str) -> None:
        target = self.root.link_target(entry.name)
        if not stays_inside(name, target):
            self.content.left_out.append(name)
            return
        header = _header(name, entry.status, tarfile.SYMTYPE)
        header.linkname = target
        self._add_place(header)

    def _first_name(self, entry: Entry) -> str:
        """The name under which this file is packed already: a hard link. Empty if it is packed under none.

        The two are compared now: the number of a file that was removed is given to another one. A database to which
        rows were written under this name is not what was packed under the other one.
        """
        this = _identity(entry.status)
        first = self.first_names.get(this, "")
        if not first:
            return ""
        if not self.root.has(first) or _identity(self.root.status(first)) != this:
            del self.first_names[this]
            return ""
        if _identity(self.root.status(entry.name)) != this:
            return ""
        if has_rows_beside(self.root, entry.name):
            self.content.notes.add(
                f"'{self._name(entry.name)}' and '{self._name(first)}' were one database with two names, and are two "
                "in the backup: rows were written under both"
            )
            return ""
        return first

    def _add_place(self, header: tarfile.TarInfo, found: attributes.Attributes = attributes.NO_ATTRIBUTES) -> None:
        self._with(header, found)
        self.archive.addfile(header)
        forget_members(self.archive)
        self.content.places.append(header.name)

    def _with(self, header: tarfile.TarInfo, found: attributes.Attributes) -> None:
        attributes.put_into(header, found)
        self.content.notes.attributes_lost(found.others, header.name)

    def _add_file(self, path: str) -> None:
        made = copy_of(self.root, path, self.copy, self.pace, self.jail)
        self._pack(path, made)
        if made.status.st_nlink > 1:
            self.first_names.setdefault(_identity(made.status), path)
        for end, beside in made.companions.items():
            self._pack(f"{path}{end}", beside, end)
        if made.unreadable:
            also = " and ".join(f"'{self._name(path)}{end}'" for end in made.companions)
            self.content.notes.add(
                f"SQLite cannot read '{self._name(path)}' ({made.unreadable}): it was copied as it is"
                + (f", with {also}, as after a crash" if also else "")
            )

    def _pack(self, path: str, made: CopiedFile, end: str = "") -> None:
        copy = place_of(self.copy, end)
        header = _header(self._name(path), made.status, tarfile.REGTYPE)
        header.size = copy.stat().st_size
        self._with(header, made.attributes)
        with copy.open("rb") as copied:
            content = Hashed(copied, self.pace)
            self.archive.addfile(header, content)
        forget_members(self.archive)
        self.content.files.append(
            File(header.name, header.size, content.sha256, made.is_database, made.schema, made.holes)
        )


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _header(name: str, status: os.stat_result, kind: bytes) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name)
    header.type, header.mode = kind, status.st_mode & 0o7777
    header.uid, header.gid, header.mtime = status.st_uid, status.st_gid, status.st_mtime
    return header

"""The content of a backup: read, checked byte by byte against its manifest, and unpacked. Standard library only.

An archive is not trusted: names, links and sizes are checked against the manifest before anything is written, and
everything is written beneath the folders that are given, whatever is changed in them meanwhile.

What a database has in it is not judged: by its checksum it is what the app had. Errors that SQLite finds in it (PRAGMA
integrity_check) were there before, also with an index in an order that only the app knows, and the app ran on it.
"""

from __future__ import annotations

import os
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

from orchestrator.backup_sidecar import attributes
from orchestrator.backup_sidecar.copy import CHUNK, OWN, Flushed, Hashed, digest, filled, stays_inside
from orchestrator.backup_sidecar.manifest import (
    ARCHIVE,
    DATA,
    FOLDERS_SINCE,
    DamagedBackup,
    File,
    Manifest,
    read_manifest,
)
from orchestrator.backup_sidecar.notes import Notes
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.files.beneath import Folder, LeadsOutside, NotAFile, parts_of

FILE_MODE, FOLDER_MODE = 0o777, 0o1777
"""The bits of a mode that are restored: not setuid and setgid, which would give a file's owner to whoever runs it."""
_NOT_AN_ARCHIVE = (tarfile.TarError, EOFError, zlib.error, UnicodeError, OverflowError)


def verify(folder: Path, pace: Pace) -> Manifest:
    """Read and check every byte of a backup; nothing is unpacked. Raises DamagedBackup with the first error."""
    return _read(folder, lambda _root: None, pace)


def unpack(folder: Path, target: Path, pace: Pace) -> Manifest:
    """Unpack a backup into an empty folder, and check every byte. Raises DamagedBackup with the first error."""
    with Folder.open(target) as into:

        def place(root: str) -> Folder:
            into.new_folder(root)
            return into.folder(root)

        return _read(folder, place, pace)


def unpack_into(folder: Path, targets: dict[str, Folder], pace: Pace) -> Manifest:
    """Unpack the folders of a backup for which there is a target, an empty folder, and check every byte.

    The `notes` of what is returned say, in addition, what the targets could not take. Raises DamagedBackup with the
    first error.
    """

    def place(root: str) -> Folder | None:
        return targets[root].folder("") if root in targets else None

    return _read(folder, place, pace)


def forget_members(archive: tarfile.TarFile) -> None:
    """tarfile keeps what it knows of each member: of a million more than a sidecar may have, and nobody asks for it."""
    archive.members.clear()  # type: ignore[attr-defined]  # in no stub; gettarinfo and others use it


def _read(folder: Path, place: Callable[[str], Folder | None], pace: Pace) -> Manifest:
    """`place` gives the folder to unpack a folder of the archive into; None: it is only checked."""
    manifest = read_manifest(folder)
    try:
        with Folder.open(folder) as kept:
            packed = kept.open_file(ARCHIVE)
    except (FileNotFoundError, NotAFile) as error:
        raise DamagedBackup(f"{folder.name}: {ARCHIVE} is missing.") from error
    with open(packed, "rb") as content:
        pace.expect(manifest.disk_size, os.fstat(packed).st_size + manifest.data_size)
        if digest(os.dup(packed), pace) != manifest.archive_sha256:
            raise DamagedBackup(f"{folder.name}: {ARCHIVE} was changed after it was written: its checksum differs.")
        content.seek(0)
        reading = _Reading(manifest, folder.name, place, pace)
        try:
            with tarfile.open(fileobj=content, mode="r:gz") as archive:
                for member in archive:
                    reading.take(archive, member)
                    forget_members(archive)
            reading.finish()
        except _NOT_AN_ARCHIVE as error:
            raise DamagedBackup(f"{folder.name}: {ARCHIVE} cannot be read: {error}.") from error
        finally:
            reading.close()
    return replace(manifest, notes=(*manifest.notes, *reading.notes.sentences))


@dataclass
class _Reading:
    """An archive that is being read. `missing` is what the manifest names and did not come yet."""

    manifest: Manifest
    backup: str
    place: Callable[[str], Folder | None]
    pace: Pace
    missing: dict[str, File | None] = field(init=False)
    _places: list[tuple[Folder, str, tarfile.TarInfo]] = field(default_factory=list)
    _folders: dict[str, Folder | None] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)

    def __post_init__(self) -> None:
        self.missing = {file.path: file for file in self.manifest.files} | dict.fromkeys(self.manifest.places)

    def take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        root, path = self._where(member)
        if member.name not in self.missing:
            raise self._damaged(f"'{member.name}' is not in the manifest")
        file = self.missing.pop(member.name)
        into = self._folder(root)
        if into and "/" in path:
            above = path.rpartition("/")[0]
            into.new_folder(above, parents=True)
            if self.manifest.format < FOLDERS_SINCE:
                _own_folders(into, above, member)
        if file is None:
            self._check_place(member)
            if into:
                self._places.append((into, path, member))
                if member.isdir():
                    into.new_folder(path)
        else:
            self._take_file(archive, member, file, into, path)

    def _where(self, member: tarfile.TarInfo) -> tuple[str, str]:
        """The folder of the archive, and the path in it."""
        try:
            parts = parts_of(member.name)
        except LeadsOutside as error:
            raise self._damaged(f"the path '{member.name}' is outside of the archive") from error
        if any(part.startswith(OWN) for part in parts):
            raise self._damaged(f"'{member.name}' has a name that only Changeover itself may use")
        if self.manifest.format < 2:
            return DATA, member.name
        if len(parts) < 2:
            raise self._damaged(f"'{member.name}' is in no folder of the archive")
        return parts[0], "/".join(parts[1:])

    def _folder(self, root: str) -> Folder | None:
        if root not in self._folders:
            self._folders[root] = self.place(root)
        return self._folders[root]

    def _check_place(self, member: tarfile.TarInfo) -> None:
        if member.issym():
            if not stays_inside(member.name, member.linkname):
                raise self._damaged(f"the link '{member.name}' points outside of the data")
        elif member.islnk():
            self._check_hard_link(member)
        elif not member.isdir():
            raise self._damaged(f"'{member.name}' is neither a folder nor a link")

    def _check_hard_link(self, member: tarfile.TarInfo) -> None:
        """Another name for a file that came before, in the same folder of the archive: for nothing else."""
        root = f"{member.name.partition('/')[0]}/"
        other = member.linkname
        if not other.startswith(root) or other not in self._files or other in self.missing:
            raise self._damaged(f"the hard link '{member.name}' is to no file of the backup")

    @cached_property
    def _files(self) -> frozenset[str]:
        return frozenset(file.path for file in self.manifest.files)

    def _take_file(
        self, archive: tarfile.TarFile, member: tarfile.TarInfo, file: File, into: Folder | None, path: str
    ) -> None:
        if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
            raise self._damaged(f"'{member.name}' is not a regular file")
        content = archive.extractfile(member)
        if content is None or member.size != file.size:
            raise self._damaged(f"the size of '{member.name}' differs: it was changed; its checksum differs")
        with content:
            read = Hashed(content, self.pace)
            if into is None:
                while read.read(CHUNK):
                    pass
            else:
                self._write(read, file, into, path)
        if read.sha256 != file.sha256:
            raise self._damaged(f"'{member.name}' was changed after it was backed up: its checksum differs")
        if into:
            descriptor = into.open_file(path)
            try:
                self._as_it_was(descriptor, member, FILE_MODE)
            finally:
                os.close(descriptor)

    def _write(self, read: Hashed, file: File, into: Folder, path: str) -> None:
        """Write a file; what the manifest calls holes stays holes, so that no more is written than it says."""
        written = 0
        with Flushed(into.new_file(path), self.pace) as out:
            while content := read.read(CHUNK):
                done = 0
                for start, end in filled(content) if file.holes else [(0, len(content))]:
                    written += end - start
                    if file.holes and written > file.size - file.holes + CHUNK:
                        raise self._damaged(f"'{file.path}' has fewer holes than the manifest says")
                    if start > done:
                        out.seek(start - done, os.SEEK_CUR)
                    out.write(content[start:end])
                    done = end
                if done < len(content):
                    out.seek(len(content) - done, os.SEEK_CUR)
            out.truncate(file.size)

    def finish(self) -> None:
        """Last: a link's target must exist, and adding files changes a folder's time."""
        if self.missing:
            raise self._damaged(f"'{next(iter(self.missing))}' is missing from the archive")
        for into, path, member in reversed(self._places):
            if member.issym():
                into.new_link(path, member.linkname)
                with into.parent_of(path) as (descriptor, last):
                    if os.geteuid() == 0:
                        os.chown(last, member.uid, member.gid, dir_fd=descriptor, follow_symlinks=False)
            elif member.islnk():
                into.new_hard_link(path, member.linkname.partition("/")[2])
            else:
                with into.folder(path) as made:
                    self._as_it_was(made.descriptor, member, FOLDER_MODE)

    def _as_it_was(self, descriptor: int, member: tarfile.TarInfo, bits: int) -> None:
        """The attributes after the mode, which is a part of an access control list; the times last."""
        if os.geteuid() == 0:
            os.fchown(descriptor, member.uid, member.gid)
        os.fchmod(descriptor, member.mode & bits)
        refused = attributes.write(descriptor, attributes.of_member(member))
        self.notes.attributes_refused(refused, member.name)
        os.utime(descriptor, (member.mtime, member.mtime))

    def close(self) -> None:
        for folder in self._folders.values():
            if folder:
                os.close(folder.descriptor)

    def _damaged(self, says: str) -> DamagedBackup:
        return DamagedBackup(f"{self.backup}: {says}.")


def _own_folders(into: Folder, path: str, member: tarfile.TarInfo) -> None:
    """Earlier formats have no entries for folders: a folder gets the owner of the files in it."""
    parts = parts_of(path)
    for depth in range(1, len(parts) + 1):
        with into.folder("/".join(parts[:depth])) as folder:
            os.fchmod(folder.descriptor, 0o755)
            if os.geteuid() == 0:
                os.fchown(folder.descriptor, member.uid, member.gid)

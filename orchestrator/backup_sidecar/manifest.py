"""The manifest of a backup: `manifest.json`, beside the archive. Standard library only."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from orchestrator.files.beneath import Folder, NotAFile

ARCHIVE, MANIFEST = "data.tar.gz", "manifest.json"
NUMBER = "number"
"""A file with the backup's place in the order of the app's backups. It is beside the manifest, so that it is known of a
backup whose manifest cannot be read."""
FORMAT = 3
"""In format 1, the files of the data volume have no folder around them."""
FOLDERS_SINCE = 3
"""Earlier formats have no entries for folders and links; a folder gets the owner of the files in it."""


MEGABYTE = 2**20
RESERVE = 16 * MEGABYTE
"""The disk space that must stay free in addition to the size of the data, in bytes."""
DATA, DUMP = "data", "dump"
MOST_NAMED = 100
"""So many files are named in an answer: an app may have millions."""
MOST_MANIFEST = 256 * MEGABYTE
"""A larger manifest is not read."""


class Unsuitable(Exception):
    """The data has something that no backup can hold, or the backup has nothing of what is to be replaced."""


class DamagedBackup(Exception):
    """The backup does not match its manifest, or has content that a backup must not have."""


class NoRoom(Exception):
    """Disk space is short for a backup or a restore."""


@dataclass(frozen=True, slots=True)
class File:
    """One file in the archive. `size` is in bytes; `holes` are those of them that take no disk space.

    `schema` is the Alembic revision of an SQLite database, if any.
    """

    path: str
    size: int
    sha256: str
    sqlite: bool = False
    schema: str = ""
    holes: int = 0


@dataclass(frozen=True)
class Manifest:
    """The content of the archive and its origin. Sizes are in bytes; `created_at` is in UTC, in ISO 8601.

    `revision` is the source revision of the release. `data_schema` is the schema revision of the data, empty if the
    app's migrations report none; `applied` are all schema revisions of the data, as JSON text, empty if that is not
    known. `places` are folders and links, hard links included. `left_out` are links that point outside of the data,
    devices, pipes and sockets, and what the app replaced meanwhile. `roots` are the folders of the archive, also those
    without content; empty in earlier formats. `notes` say what is not in the backup as the app had it.

    `image` is the digest of the release's image, and `deployment` the id of the deployment that made it live. `after`
    is the number of the newest of the app's deployments that were live before the backup; 0 if that is not known.
    """

    id: str
    app: str
    version: str
    revision: str
    reason: str
    created_at: str
    archive_sha256: str
    archive_size: int
    files: tuple[File, ...]
    format: int = 1
    places: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    data_schema: str = ""
    applied: str = ""
    image: str = ""
    deployment: str = ""
    after: int = 0
    roots: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def summary(self) -> Summary:
        schemas = {file.path: file.schema for file in self.files if file.schema}
        return Summary(
            self.id,
            self.app,
            self.version,
            self.revision,
            self.reason,
            self.created_at,
            self.archive_size,
            files=len(self.files),
            data_size=self.data_size,
            data_schema=self.data_schema,
            schemas=dict(islice(schemas.items(), MOST_NAMED)),
            applied=self.applied,
            image=self.image,
            deployment=self.deployment,
            after=self.after,
            left_out=some(self.left_out),
            notes=some(self.notes),
        )

    @property
    def data_size(self) -> int:
        return sum(file.size for file in self.files)

    @property
    def disk_size(self) -> int:
        """The disk space that the files take when they are unpacked."""
        return sum(file.size - file.holes for file in self.files)

    def has(self, root: str) -> bool:
        """Whether the archive has any file, folder or link in this folder."""
        if self.format < 2:
            return root == DATA and bool(self.files)
        return any(name.startswith(f"{root}/") for name in (*(file.path for file in self.files), *self.places))


@dataclass(frozen=True)
class Summary:
    """What a manifest says, without the name of each file: what the orchestrator is told of a backup.

    Its fields are those of the manifest. `files` is their number and `data_size` the size of all, in bytes. `schemas`
    are the Alembic revisions of SQLite files. Of these, of what is left out and of the notes, MOST_NAMED are named.
    """

    id: str
    app: str
    version: str
    revision: str
    reason: str
    created_at: str
    archive_size: int
    files: int = 0
    data_size: int = 0
    data_schema: str = ""
    schemas: dict[str, str] = field(default_factory=dict)
    applied: str = ""
    image: str = ""
    deployment: str = ""
    after: int = 0
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def made_at(self) -> datetime:
        moment = datetime.fromisoformat(self.created_at)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Entry:
    """One backup: what its manifest says, or the `problem` of a damaged one. `size` is its disk space, in bytes.

    `number` is its place in the order in which the app's backups were made, 0 for those of earlier versions.
    """

    id: str
    size: int
    summary: Summary | None
    problem: str = ""
    number: int = 0


def some(names: Sequence[str]) -> tuple[str, ...]:
    """The first MOST_NAMED of the names, and how many others there are."""
    others = len(names) - MOST_NAMED
    return (*names[:MOST_NAMED], *([f"and {others} others"] if others > 0 else []))


KEYS = frozenset(field.name for field in fields(Manifest))
LISTS = ("places", "left_out", "roots", "notes")
KINDS: dict[str, type] = {"str": str, "int": int, "bool": bool}
V = TypeVar("V", Manifest, File)


def read_number(folder: Path) -> int:
    """The backup's place in the order of the app's backups; 0 for those of earlier versions, which come first."""
    try:
        with Folder.open(folder) as kept, open(kept.open_file(NUMBER), "rb") as file:
            return int(file.read(20))
    except (OSError, ValueError, NotAFile):
        return 0


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the backup in `folder`. Raises DamagedBackup when it is missing or cannot be read."""
    try:
        with Folder.open(folder) as kept, open(kept.open_file(MANIFEST), "rb") as file:
            if (size := os.fstat(file.fileno()).st_size) > MOST_MANIFEST:
                raise ValueError(f"it is larger than {MOST_MANIFEST // MEGABYTE} MB")
            found = json.loads(file.read(size), object_hook=_file_or_dict)
        if not isinstance(found, dict):
            raise ValueError("it is no JSON object")
        content = {name: value for name, value in found.items() if name in KEYS}
        content["files"] = tuple(content["files"])
        if not all(isinstance(file, File) for file in content["files"]):
            raise ValueError("files is not a list of files")
        lists = {name: tuple(content.get(name, ())) for name in LISTS}
        return _checked(Manifest(**content | lists))
    except (OSError, ValueError, TypeError, KeyError, RecursionError, NotAFile) as error:
        raise DamagedBackup(f"{folder.name}: its manifest cannot be read ({error}).") from error


def write_manifest(manifest: Manifest, path: Path) -> None:
    """File by file: there may be a million. Raises Unsuitable if it could not be read again."""
    rest = json.dumps(asdict(replace(manifest, files=())) | {"files": None}, indent=1)
    before, _, after = rest.partition('"files": null')
    with path.open("w") as out:
        out.write(f'{before}"files": [')
        for number, file in enumerate(manifest.files):
            out.write(("," if number else "") + "\n  " + json.dumps(asdict(file)))
        out.write(f"\n ]{after}")
    if path.stat().st_size > MOST_MANIFEST:
        raise Unsuitable(f"The data has more files than a backup can name: {len(manifest.files)}.")


def _file_or_dict(found: dict[str, Any]) -> File | dict[str, Any]:  # Any: JSON
    """Each object of a file becomes one at once: a dictionary of a million takes three times as much memory."""
    return _checked(File(**found)) if "path" in found else found


def _checked(value: V) -> V:
    """The value, whose fields have the types that they should have. Raises ValueError."""
    for one in fields(value):
        content = getattr(value, one.name)
        if one.type in KINDS and type(content) is not KINDS[str(one.type)]:
            raise ValueError(f"{one.name} is not {one.type}")
        if one.name in LISTS and not all(isinstance(name, str) for name in content):
            raise ValueError(f"{one.name} is not a list of names")
        if one.type == "int" and not 0 <= content < 2**63:
            raise ValueError(f"{one.name} is not a possible number")
    if isinstance(value, Manifest):
        datetime.fromisoformat(value.created_at)
    return value

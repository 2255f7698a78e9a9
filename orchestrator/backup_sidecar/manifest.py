"""What a backup says of itself: `manifest.json`, beside the archive. Nothing but the standard library."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ARCHIVE, MANIFEST = "data.tar.gz", "manifest.json"
FORMAT = 3
"""Format 1 had the data volume's files without a folder around them."""
FOLDERS_SINCE = 3
"""Before, a folder had the owner of what lay in it, and links were left out."""


class DamagedBackup(Exception):
    """It is not what its manifest says, or not what a backup may be. Nothing was touched."""


class NoRoom(Exception):
    """The backup would not fit. Nothing was written."""


@dataclass(frozen=True)
class File:
    """One file in the archive. `schema` is the Alembic revision that an SQLite database stood at, if any."""

    path: str
    size: int
    sha256: str
    sqlite: bool = False
    schema: str = ""


@dataclass(frozen=True)
class Manifest:
    """What the archive holds, and what it was made of. Sizes in bytes; the moment is UTC, in ISO 8601.

    `data_schema` is the revision that the app's migrations had brought its data to, empty where they report none.
    `places` are its folders and links; `left_out` are links that lead outside of the data, which no restore may make.
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

    @property
    def made_at(self) -> datetime:
        return datetime.fromisoformat(self.created_at)

    @property
    def data_size(self) -> int:
        return sum(file.size for file in self.files)


def read_manifest(folder: Path) -> Manifest:
    """Raises DamagedBackup when there is none, or it cannot be read."""
    try:
        content = json.loads((folder / MANIFEST).read_text())
        content["files"] = tuple(File(**file) for file in content["files"])
        return Manifest(**content | {name: tuple(content.get(name, ())) for name in ("places", "left_out")})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DamagedBackup(f"{folder.name}: its manifest cannot be read ({error}).") from error

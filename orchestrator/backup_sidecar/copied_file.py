"""One file of the app's data, copied: a database by SQLite, every other one as it is. Standard library only."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from orchestrator.backup_sidecar.copy import (
    SQLITE_COMPANIONS,
    Pace,
    copy_database,
    copy_file,
    is_sqlite,
    opened,
)
from orchestrator.backup_sidecar.jail import seen_from
from orchestrator.files.beneath import Folder

LONGEST_PATH = 500
"""SQLite opens no longer path, in bytes (os_unix.c, MAX_PATHNAME), whoever uses it."""
LONGEST_NAME = 255 - max(map(len, SQLITE_COMPANIONS))
"""Nor a file for whose companions a file system has no names."""


@dataclass(frozen=True)
class CopiedFile:
    """What was copied. `holes`: their size in bytes. `schema`: the Alembic revision of a database, if any."""

    status: os.stat_result
    is_database: bool = False
    schema: str = ""
    holes: int = 0


def copy_of(root: Folder, path: str, copy: Path, pace: Pace, jail: Path | None) -> CopiedFile:
    """Copy what the app has at `path` to `copy`.

    A file that begins as a database and that SQLite cannot read, such as a part of an upload, is copied as it is, if
    nobody has it open as a database and nobody changes it meanwhile. Raises NotAFile, OSError and sqlite3.Error.
    """
    with opened(root, path) as file:
        status = os.fstat(file)
        if not is_sqlite(file):
            return CopiedFile(status, holes=copy_file(file, copy, pace))
        # Asked before: SQLite may remove them.
        is_open = any(root.has(f"{path}{end}") for end in SQLITE_COMPANIONS)
        try:
            if _is_too_long(seen_from(jail, root.path / path)):
                raise sqlite3.DatabaseError(f"the path of '{path}' is too long for SQLite")
            schema = copy_database(root.path / path, copy, pace, jail=jail, is_file=status)
            return CopiedFile(status, is_database=True, schema=schema)
        except sqlite3.OperationalError:
            raise  # such as a database that is locked for too long
        except sqlite3.DatabaseError:
            if is_open:
                raise
            holes = copy_file(file, copy, pace)
            if _changes(status) != _changes(os.fstat(file)):
                raise
            return CopiedFile(status, holes=holes)


def _is_too_long(path: Path) -> bool:
    return len(os.fsencode(path)) > LONGEST_PATH or len(os.fsencode(path.name)) > LONGEST_NAME


def _changes(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns

"""One file of the app's data, copied: a database by SQLite, every other one as it is. Standard library only."""

from __future__ import annotations

import os
import sqlite3
import stat
from dataclasses import dataclass
from pathlib import Path

from orchestrator.backup_sidecar.copy import (
    CHUNK,
    LOCKED_FOR_S,
    SQLITE_COMPANIONS,
    Pace,
    copy_database,
    copy_file,
    is_sqlite,
    opened,
)
from orchestrator.files.beneath import Folder

LONGEST_PATH = 440
"""Of a database in its root, in bytes. SQLite opens no path of more than 512 (os_unix.c, MAX_PATHNAME), and the longest
one above a root, that of an unpacked backup, must fit in as well: the same file counts everywhere as the same."""
LONGEST_NAME = 255 - max(map(len, SQLITE_COMPANIONS))
"""Nor does SQLite open a file for whose companions a file system has no names."""
HAVE_ROWS = ("-wal", "-journal")
"""The companions that may have what is nowhere else. An index of a log, or an empty log, has nothing."""
TRIES = 3
"""What the app writes over while it is copied is copied again, so often."""
LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
OF_THE_DISK = frozenset({sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL})
NOT_OF_ITS_CONTENT = (
    LOCKED
    | OF_THE_DISK
    | {sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_INTERRUPT}
    | {sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_NOLFS}
)
"""Errors of SQLite (https://sqlite.org/rescode.html) that say nothing about what is in the file."""


@dataclass(frozen=True)
class CopiedFile:
    """What was copied. `holes`: their size in bytes. `schema`: the Alembic revision of a database, if any."""

    status: os.stat_result
    is_database: bool = False
    schema: str = ""
    holes: int = 0


def copy_of(root: Folder, path: str, copy: Path, pace: Pace, jail: Path | None) -> CopiedFile:
    """Copy what the app has at `path` to `copy`.

    A file that begins as a database and that SQLite cannot read, such as a part of an upload, one of a version of
    SQLite to come, or one beside a folder with the name of its journal, is copied as it is, if no log or journal of it
    has rows and nobody writes over what is copied: whoever may send the app a file, however slowly, must not keep its
    data from being backed up. Raises NotAFile, OSError and sqlite3.Error.
    """
    with opened(root, path) as file:
        status = os.fstat(file)
        if not is_sqlite(file):
            return CopiedFile(status, holes=copy_file(file, copy, pace))
        # Asked before, too: SQLite may remove them.
        has_more = _has_more(root, path)
        try:
            if _is_too_long(path):
                raise sqlite3.DatabaseError("its path is too long for SQLite")
            if any(_is_in_the_way(one) for one in _companions(root, path)):
                raise sqlite3.DatabaseError("the place of its log or journal is taken by something that is no file")
            schema = copy_database(root.path / path, copy, pace, jail=jail, is_file=status)
            return CopiedFile(status, is_database=True, schema=schema)
        except sqlite3.Error as error:
            if has_more or code_of(error) in NOT_OF_ITS_CONTENT:
                raise _named(path, error) from error
            for _ in range(TRIES):
                copy.unlink(missing_ok=True)
                status = os.fstat(file)
                holes = copy_file(file, copy, pace)
                if _is_of_one_moment(file, status, copy, pace) and not _has_more(root, path):
                    return CopiedFile(status, holes=holes)
            raise _named(path, error) from error


def _is_of_one_moment(file: int, before: os.stat_result, copy: Path, pace: Pace) -> bool:
    """Whether the file had all that was copied at once: it did not change since, or still has it, as an upload has that
    goes on at its end."""
    now = os.fstat(file)
    if (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns):
        return True
    at = 0
    with copy.open("rb") as copied:
        while content := copied.read(CHUNK):
            if os.pread(file, len(content), at) != content:
                return False
            at += len(content)
            pace.rest()
    return True


def _companions(root: Folder, path: str) -> list[os.stat_result]:
    return [root.status(name) for name in (f"{path}{end}" for end in HAVE_ROWS) if root.has(name)]


def _has_more(root: Folder, path: str) -> bool:
    return any(not _is_in_the_way(one) and one.st_size > 0 for one in _companions(root, path))


def _is_in_the_way(companion: os.stat_result) -> bool:
    """Whether it is neither a file nor a link to one, such as a folder: nobody's SQLite opens the database then."""
    return not stat.S_ISREG(companion.st_mode) and not stat.S_ISLNK(companion.st_mode)


def _is_too_long(path: str) -> bool:
    return len(os.fsencode(path)) > LONGEST_PATH or len(os.fsencode(Path(path).name)) > LONGEST_NAME


def code_of(error: sqlite3.Error) -> int:
    """Its primary result code; 0 for an error that is not SQLite's own."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _named(path: str, error: sqlite3.Error) -> sqlite3.Error:
    """The same error, which says of which file it is."""
    if code_of(error) in LOCKED:
        return type(error)(
            f"the database '{path}' stayed locked for {LOCKED_FOR_S} s, so that it cannot be copied. Let the app "
            "release its lock: PRAGMA locking_mode = NORMAL, and short transactions"
        )
    return type(error)(f"SQLite cannot copy the database '{path}': {error}")

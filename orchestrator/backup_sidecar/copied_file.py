"""One file of the app's data, copied: a database by SQLite, every other one as it is. Standard library only."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.backup_sidecar import attributes
from orchestrator.backup_sidecar.copy import (
    CHUNK,
    LOCKED_FOR_S,
    SQLITE_COMPANIONS,
    copy_database,
    copy_file,
    is_sqlite,
    opened,
)
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.files.beneath import Folder, NotAFile

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
    """What was copied. `holes`: their size in bytes. `schema`: the Alembic revision of a database, if any.

    `unreadable`: why SQLite cannot read what begins as a database. `companions`: its log and journal that were copied
    with it, by the ends of their names; each is at `place_of` its end.
    """

    status: os.stat_result
    attributes: attributes.Attributes
    is_database: bool = False
    schema: str = ""
    holes: int = 0
    unreadable: str = ""
    companions: Mapping[str, CopiedFile] = field(default_factory=dict)


def place_of(copy: Path, end: str) -> Path:
    """Where `copy_of` puts the copy of a companion; that of the file itself, if `end` is empty."""
    return copy.with_name(f"{copy.name}{end}")


def remove_copies(copy: Path) -> None:
    """What `copy_of` has made."""
    for end in ("", *HAVE_ROWS):
        place_of(copy, end).unlink(missing_ok=True)


def copy_of(root: Folder, path: str, copy: Path, pace: Pace, jail: Path | None) -> CopiedFile:
    """Copy what the app has at `path` to `copy`.

    A file that begins as a database and that SQLite cannot read, such as a part of an upload, one of a version of
    SQLite to come, or one beside a folder with the name of its journal, is copied as it is, with the log and journal
    that are beside it, all of one moment, as they would be after a crash: whoever may send the app files of any names,
    however slowly, must not keep its data from being backed up. Raises NotAFile, OSError and sqlite3.Error.
    """
    with opened(root, path) as file, ExitStack() as stack:
        status, found = os.fstat(file), attributes.read(file)
        if not is_sqlite(file):
            return CopiedFile(status, found, holes=copy_file(file, copy, pace))
        # Held open: SQLite removes a log or a journal in which it finds no rows, and others may find some.
        before = _opened_beside(root, path, stack)
        try:
            if _is_too_long(path):
                raise sqlite3.DatabaseError("its path is too long for SQLite")
            if any(_is_in_the_way(one) for one in _companions(root, path).values()):
                raise sqlite3.DatabaseError("the place of its log or journal is taken by something that is no file")
            schema = copy_database(root.path / path, copy, pace, jail=jail, is_file=status)
            return CopiedFile(status, found, is_database=True, schema=schema)
        except sqlite3.Error as error:
            if code_of(error) in NOT_OF_ITS_CONTENT:
                raise _named(path, error) from error
            if not _is_unchanged(file, status):
                before = {}  # what they had is in the file now
            for _ in range(TRIES):
                remove_copies(copy)
                if copied := _as_after_a_crash(root, path, file, before, copy, pace):
                    return replace(copied, attributes=found, unreadable=str(error))
            raise _named(path, error) from error


def _opened_beside(root: Folder, path: str, stack: ExitStack) -> dict[str, int]:
    """Descriptors of the log and the journal that may have rows, by the ends of their names."""
    found = {}
    for end in _with_rows(root, path):
        with suppress(FileNotFoundError, NotADirectoryError, NotAFile):
            found[end] = stack.enter_context(opened(root, f"{path}{end}"))
    return found


def _as_after_a_crash(
    root: Folder, path: str, file: int, before: Mapping[str, int], copy: Path, pace: Pace
) -> CopiedFile | None:
    """A file with its log and journal, all of one moment; None if somebody wrote over one of them meanwhile.

    `before` are those that were there before SQLite tried.
    """
    with ExitStack() as stack:
        now = _opened_beside(root, path, stack)
        beside = {**before, **now}
        open_files = {"": file, **beside}
        copied = {end: _copied(one, place_of(copy, end), pace) for end, one in open_files.items()}
        is_whole = all(
            _is_of_one_moment(one, copied[end].status, place_of(copy, end), pace) for end, one in open_files.items()
        )
        if not is_whole or _with_rows(root, path) != list(now):
            return None
    return replace(copied[""], companions={end: copied[end] for end in beside})


def _copied(file: int, copy: Path, pace: Pace) -> CopiedFile:
    status = os.fstat(file)
    return CopiedFile(status, attributes.read(file), holes=copy_file(file, copy, pace))


def _is_of_one_moment(file: int, before: os.stat_result, copy: Path, pace: Pace) -> bool:
    """Whether the file had all that was copied at once: it did not change since, or still has it, as an upload has that
    goes on at its end."""
    if _is_unchanged(file, before):
        return True
    at = 0
    with copy.open("rb") as copied:
        while content := copied.read(CHUNK):
            if os.pread(file, len(content), at) != content:
                return False
            at += len(content)
            pace.rest()
    return True


def _is_unchanged(file: int, before: os.stat_result) -> bool:
    now = os.fstat(file)
    return (now.st_size, now.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def _companions(root: Folder, path: str) -> dict[str, os.stat_result]:
    """The ends of the names of those that exist -> their status."""
    return {end: root.status(f"{path}{end}") for end in HAVE_ROWS if root.has(f"{path}{end}")}


def _with_rows(root: Folder, path: str) -> list[str]:
    """The ends of the names of the log and the journal that may have rows. A link beside it is packed as a link."""
    return [end for end, one in _companions(root, path).items() if stat.S_ISREG(one.st_mode) and one.st_size > 0]


def has_rows_beside(root: Folder, path: str) -> bool:
    """Whether this is a database with a log or a journal that may have rows."""
    if not _with_rows(root, path):
        return False
    with opened(root, path) as file:
        return is_sqlite(file)


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
    named = type(error)(f"SQLite cannot copy the database '{path}': {error}")
    named.sqlite_errorcode = code_of(error)  # SQLite's own errors have it: by it, a full disk is no fault of the data
    return named

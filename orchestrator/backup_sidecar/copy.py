"""Copying files while an app writes them, with little effect on the app. Standard library only.

An app's fsync waits for all data that is being written to the same disk, and its threads wait for long system calls of
others. So data is written to the disk in small parts.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SQLITE_HEADER = b"SQLite format 3\0"
SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")
WAL = "wal"
BUSY_S = 0.01
"""The pause before the next try to copy a database that a writer has locked, in seconds."""
CHUNK = 128 * 1024
"""The size of one read or write, in bytes."""
FLUSH = 8 * CHUNK
"""The data that is written between two flushes to the disk, in bytes."""
TURN_S = 0.001
REST = 2
"""The length of a rest, in multiples of the work before it. With 1, the p99 of an app that writes 500 rows/s nearly
doubled."""


class Pace:
    """The speed of the work. With `gently`, it uses at most a third of one processor, in turns of about TURN_S."""

    def __init__(self, *, gently: bool) -> None:
        self._gently = gently
        self._rested_at = time.process_time()

    def rest(self) -> None:
        """Sleep for REST times the processor time used since the last rest, if that was TURN_S or more."""
        worked = time.process_time() - self._rested_at
        if self._gently and worked >= TURN_S:
            time.sleep(REST * worked)
            self._rested_at = time.process_time()


class Hashed:
    """Reads a file and computes the checksum of what was read so far."""

    def __init__(self, file: IO[bytes], pace: Pace) -> None:
        self._file = file
        self._pace = pace
        self._sha256 = hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        self._pace.rest()
        content = self._file.read(size)
        self._sha256.update(content)
        return content

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()


class Flushed(io.BufferedWriter):
    """Writes a new file, flushes it to the disk in parts, and computes the checksum of what was written so far.

    Flushed parts are dropped from the page cache.
    """

    def __init__(self, path: Path, pace: Pace) -> None:
        super().__init__(io.FileIO(path, "w"), CHUNK)
        self._pace = pace
        self._since = 0
        self._sha256 = hashlib.sha256()

    def write(self, content: ReadableBuffer, /) -> int:
        written = super().write(content)
        self._sha256.update(content)
        self._since += written
        if self._since >= FLUSH:
            self.flush()
            _flush(self.fileno())
            self._since = 0
        self._pace.rest()
        return written

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()


def entries_of(data: Path) -> Iterator[Path]:
    """Every file, folder and link in `data`, in order, without Changeover's own and SQLite's journal files."""
    for path in sorted(data.rglob("*")):
        if any(part.startswith(".changeover-") for part in path.relative_to(data).parts):
            continue
        if any(str(path).endswith(end) and is_sqlite(Path(str(path).removesuffix(end))) for end in SQLITE_COMPANIONS):
            continue
        if path.is_symlink() or path.is_dir() or path.is_file():
            yield path


def size_of(path: Path) -> int:
    """The size in bytes; 0 if the file does not exist any more."""
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def stays_inside(name: str, target: str) -> bool:
    """Whether the target of the link `name` is in the same top-level folder of the archive.

    False for a target with `..` after another part, because that part may be a link, too.
    """
    above = len(PurePosixPath(name).parts) - 2
    parts = PurePosixPath(target).parts
    up = len(list(itertools.takewhile(lambda part: part == "..", parts)))
    return not target.startswith("/") and up <= above and ".." not in parts[up:]


def is_sqlite(path: Path) -> bool:
    """Whether the file begins with the header of an SQLite database."""
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE_HEADER)) == SQLITE_HEADER
    except FileNotFoundError:
        return False


def copy_database(source: Path, copy: Path, pace: Pace) -> str:
    """Copy an SQLite database, consistent while others write. Returns its Alembic revision, empty if it has none.

    In WAL mode, readers do not block writers: the database is copied in small steps, in one transaction. In other modes
    they do (https://sqlite.org/lockingv3.html), so it is copied as fast as possible.
    """
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True, timeout=30, isolation_level=None)) as live,
        closing(sqlite3.connect(copy, isolation_level=None)) as out,
    ):
        out.execute("PRAGMA journal_mode=OFF")
        out.execute("PRAGMA synchronous=OFF")
        (mode,) = live.execute("PRAGMA journal_mode").fetchone()
        if mode == WAL:
            _copy_in_steps(live, out, copy, pace)
        else:
            live.backup(out, sleep=BUSY_S)
        out.execute("PRAGMA journal_mode=DELETE")
        try:
            row = out.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            row = None
        if mode == WAL:
            # The mode is in the file's header, so that the app finds its database in the mode that it chose.
            out.execute(f"PRAGMA journal_mode={WAL}")
    return str(row[0]) if row else ""


def _copy_in_steps(live: sqlite3.Connection, out: sqlite3.Connection, copy: Path, pace: Pace) -> None:
    live.execute("BEGIN")
    (page_size,) = live.execute("PRAGMA page_size").fetchone()
    live.execute("SELECT count(*) FROM sqlite_master").fetchone()
    with copy.open("rb") as written:

        def flush(_status: int, _remaining: int, _total: int) -> None:
            _flush(written.fileno())
            pace.rest()

        live.backup(out, pages=max(1, FLUSH // page_size), progress=flush, sleep=0)
    live.execute("ROLLBACK")


def copy_file(source: Path, copy: Path, pace: Pace) -> None:
    with source.open("rb") as content, Flushed(copy, pace) as out:
        shutil.copyfileobj(content, out, CHUNK)


def digest(path: Path, pace: Pace) -> str:
    """The SHA-256 of the file's content, in hexadecimal."""
    with path.open("rb") as file:
        content = Hashed(file, pace)
        while content.read(CHUNK):
            pass
    return content.sha256


def sync(path: Path) -> None:
    """Write a file's data, or a folder's entries, to the disk (fsync)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush(descriptor: int) -> None:
    os.fdatasync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

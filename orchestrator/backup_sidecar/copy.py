"""Reading files that others write meanwhile, and writing so that they do not notice. Only the standard library.

Whoever has its own file synced on the same disk waits for all that is on its way there, and whoever wakes up waits for
the system call that another is in: so what is written goes to the disk bit by bit, and every bit is small.
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
"""How soon a database is asked again whose writer is just committing."""
CHUNK = 128 * 1024
"""So much is read or written at a time, in bytes."""
FLUSH = 8 * CHUNK
"""So much is written before it is made to go to the disk."""
TURN_S = 0.001
REST = 2
"""How long a rest is, in turns: with one, the p99 of an app that writes 500 rows a second came close to doubling."""


class Pace:
    """Full speed; or gently: at most a third of a processor's time, in turns too short for others to notice."""

    def __init__(self, *, gently: bool) -> None:
        self._gently = gently
        self._rested_at = time.process_time()

    def rest(self) -> None:
        """To be called often. Rests twice as long as was worked, where that was a turn's length."""
        worked = time.process_time() - self._rested_at
        if self._gently and worked >= TURN_S:
            time.sleep(REST * worked)
            self._rested_at = time.process_time()


class Hashed:
    """What is read from a file, and its checksum so far."""

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
    """A new file that goes to the disk bit by bit, and its checksum so far.

    What is there leaves the memory, which others can use better.
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
    """Every file, folder and link below, in order, but for ours and for what SQLite keeps beside its databases."""
    for path in sorted(data.rglob("*")):
        if any(part.startswith(".changeover-") for part in path.relative_to(data).parts):
            continue
        if any(str(path).endswith(end) and is_sqlite(Path(str(path).removesuffix(end))) for end in SQLITE_COMPANIONS):
            continue
        if path.is_symlink() or path.is_dir() or path.is_file():
            yield path


def size_of(path: Path) -> int:
    """In bytes; of what is gone, none."""
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def stays_inside(name: str, target: str) -> bool:
    """Whether a link of this name in the archive leads to somewhere in the same folder of it.

    A way up after a way down does not: what lies on the way down may be a link, too.
    """
    above = len(PurePosixPath(name).parts) - 2
    parts = PurePosixPath(target).parts
    up = len(list(itertools.takewhile(lambda part: part == "..", parts)))
    return not target.startswith("/") and up <= above and ".." not in parts[up:]


def is_sqlite(path: Path) -> bool:
    """Whether it begins as an SQLite database does."""
    try:
        with path.open("rb") as file:
            return file.read(len(SQLITE_HEADER)) == SQLITE_HEADER
    except FileNotFoundError:
        return False


def copy_database(source: Path, copy: Path, pace: Pace) -> str:
    """All of it as it is at one moment, while others write. Gives the schema's revision.

    In WAL mode a reader holds nobody up: it is copied in small steps, within one transaction. In any other mode
    whoever writes waits for whoever reads (https://sqlite.org/lockingv3.html), so it is copied as fast as it can be.
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
            # In the file's header: the app finds its database in the mode that it chose. Its log goes with `out`.
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
    """The SHA-256 of its content, in hexadecimal."""
    with path.open("rb") as file:
        content = Hashed(file, pace)
        while content.read(CHUNK):
            pass
    return content.sha256


def sync(path: Path) -> None:
    """Have a file, or a folder's names, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush(descriptor: int) -> None:
    os.fdatasync(descriptor)
    os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)

"""Copying files while an app writes them, with little effect on the app. Standard library only.

An app's fsync waits for all data that is being written to the same disk, and its threads wait for long system calls of
others. So data is written to the disk in small parts.
"""

from __future__ import annotations

import errno
import hashlib
import io
import itertools
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from orchestrator.backup_sidecar.jail import confined, seen_from
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.files.beneath import Entry, Folder, LeadsOutside, NotAFile

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SQLITE_HEADER = b"SQLite format 3\0"
SQLITE_COMPANIONS = ("-wal", "-shm", "-journal")
OWN = ".changeover-"
"""Names that begin so are Changeover's own, and are neither backed up nor restored."""
WAL = "wal"
MOST_DESCRIPTORS = 256
"""The sidecar holds fewer descriptors at once."""
LOCKED_FOR_S = 30
"""How long a database may be locked before it is given up, in seconds."""
BUSY_S = 0.01
"""The pause before the next try to copy a database that a writer has locked, in seconds."""
CHUNK = 128 * 1024
"""The size of one read or write, in bytes."""
BLOCK = 512
"""Where a file has a hole, and where none, is the same for so many bytes on every file system."""
FLUSH = 8 * CHUNK
"""The data that is written between two flushes to the disk, in bytes."""


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
        self._pace.worked(len(content))
        return content

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()


class Flushed(io.BufferedWriter):
    """Writes a new file, flushes it to the disk in parts, and computes the checksum of what was written so far.

    Flushed parts are dropped from the page cache. `file` is a descriptor, which this closes, or a path.
    """

    def __init__(self, file: Path | int, pace: Pace) -> None:
        super().__init__(io.FileIO(file, "w"), CHUNK)
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


def entries_of(data: Folder) -> Iterator[Entry]:
    """Everything in `data`, in order, without Changeover's own and SQLite's journal files. Links are not followed."""
    for entry in data.walk():
        if any(part.startswith(OWN) for part in entry.name.split("/")):
            continue
        if entry.is_file and entry.name.endswith(SQLITE_COMPANIONS) and _is_companion(data, entry.name):
            continue
        yield entry


def _is_companion(data: Folder, name: str) -> bool:
    database = next(name.removesuffix(end) for end in SQLITE_COMPANIONS if name.endswith(end))
    try:
        with opened(data, database) as file:
            return is_sqlite(file)
    except (FileNotFoundError, NotADirectoryError, NotAFile, LeadsOutside):
        return False


@contextmanager
def opened(data: Folder, name: str) -> Iterator[int]:
    """A descriptor to read a regular file in `data`. Raises NotAFile and OSError as Folder.open_file does."""
    file = data.open_file(name)
    try:
        yield file
    finally:
        os.close(file)


def stays_inside(name: str, target: str) -> bool:
    """Whether the target of the link `name` is in the same top-level folder of the archive.

    False for a target with `..` after another part, because that part may be a link, too.
    """
    above = len(PurePosixPath(name).parts) - 2
    parts = PurePosixPath(target).parts
    up = len(list(itertools.takewhile(lambda part: part == "..", parts)))
    return not target.startswith("/") and up <= above and ".." not in parts[up:]


def is_sqlite(file: int) -> bool:
    """Whether an open file begins with the header of an SQLite database."""
    return os.pread(file, len(SQLITE_HEADER), 0) == SQLITE_HEADER


def copy_database(
    source: Path, copy: Path, pace: Pace, *, jail: Path | None = None, is_file: os.stat_result | None = None
) -> str:
    """Copy an SQLite database, consistent while others write. Returns its Alembic revision, empty if it has none.

    In WAL mode, readers do not block writers: the database is copied in small steps, in one transaction. In other modes
    they do (https://sqlite.org/lockingv3.html), so it is copied as fast as possible. SQLite works in `jail`; both paths
    are in it. Raises FileNotFoundError when `source` is not the file `is_file`: somebody replaced it.
    """
    # Made here: in the jail, Python finds no module that it has not loaded yet.
    there, here = f"{seen_from(jail, source).as_uri()}?mode=rw", seen_from(jail, copy)
    return confined(jail, lambda: _copy_database(there, here, pace, is_file))


def _copy_database(source: str, copy: Path, pace: Pace, is_file: os.stat_result | None) -> str:
    with (
        closing(_opened_database(source)) as live,
        closing(sqlite3.connect(copy, isolation_level=None)) as out,
    ):
        if is_file and not _has_open(is_file):
            # Nothing of what was opened instead has been read.
            raise FileNotFoundError(f"{source} was replaced while it was copied")
        out.execute("PRAGMA journal_mode=OFF")
        out.execute("PRAGMA synchronous=OFF")
        (mode,) = live.execute("PRAGMA journal_mode").fetchone()
        if mode == WAL:
            _copy_in_steps(live, out, copy, pace)
        else:
            live.backup(out, sleep=BUSY_S)
            pace.worked(copy.stat().st_size)
        out.execute("PRAGMA journal_mode=DELETE")
        try:
            row = out.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            row = None
        if mode == WAL:
            # The mode is in the file's header, so that the app finds its database in the mode that it chose.
            out.execute(f"PRAGMA journal_mode={WAL}")
    return str(row[0]) if row else ""


def _opened_database(uri: str) -> sqlite3.Connection:
    try:
        return sqlite3.connect(uri, uri=True, timeout=LOCKED_FOR_S, isolation_level=None)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_CANTOPEN:
            # It was there a moment ago. Where it leads now, there is nothing in the jail.
            raise FileNotFoundError(f"{uri} was replaced while it was copied") from error
        raise


def _has_open(file: os.stat_result) -> bool:
    """Whether a descriptor of this process is of that file: opened more often than by whoever asks."""
    found = 0
    for descriptor in range(3, MOST_DESCRIPTORS):
        try:
            status = os.fstat(descriptor)
        except OSError:
            continue
        found += (status.st_dev, status.st_ino) == (file.st_dev, file.st_ino)
    return found > 1


def _copy_in_steps(live: sqlite3.Connection, out: sqlite3.Connection, copy: Path, pace: Pace) -> None:
    live.execute("BEGIN")
    (page_size,) = live.execute("PRAGMA page_size").fetchone()
    live.execute("SELECT count(*) FROM sqlite_master").fetchone()
    copied = 0
    with copy.open("rb") as written:

        def flush(_status: int, remaining: int, total: int) -> None:
            nonlocal copied
            _flush(written.fileno())
            before, copied = copied, total - remaining
            pace.worked((copied - before) * page_size)
            pace.rest()

        live.backup(out, pages=max(1, FLUSH // page_size), progress=flush, sleep=0)
    live.execute("ROLLBACK")


def copy_file(file: int, copy: Path, pace: Pace) -> int:
    """Copy an open file, as large as it is now. Holes stay holes. Returns the size of its holes, in bytes."""
    size = os.fstat(file).st_size
    data = 0
    with Flushed(copy, pace) as out:
        for start, end in extents(file, size):
            os.lseek(file, start, os.SEEK_SET)
            out.seek(start)
            while start < end and (content := os.read(file, min(CHUNK, end - start))):
                out.write(content)
                start += len(content)
                data += len(content)
                pace.worked(len(content))
        # The app may have cut it meanwhile.
        size = max(data, min(size, os.fstat(file).st_size))
        out.truncate(size)
    return size - data


def extents(file: int, size: int) -> Iterator[tuple[int, int]]:
    """The parts of a file that are no holes: where each starts and ends (lseek(2))."""
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
            end = min(size, os.lseek(file, start, os.SEEK_HOLE))
        except OSError as error:
            if error.errno == errno.ENXIO:
                return  # only a hole follows, or the app has cut the file
            raise
        if start >= size:
            return  # the app has written behind the end that it had
        yield start, end


def filled(content: bytes) -> Iterator[tuple[int, int]]:
    """The parts of `content`, in whole blocks, that are more than zeros: where each starts and ends."""
    start = 0
    for end in range(0, len(content) + BLOCK, BLOCK):
        if not content[end : end + BLOCK].strip(b"\0"):
            if start < end:
                yield start, min(end, len(content))
            start = end + BLOCK


def digest(file: Path | int, pace: Pace) -> str:
    """The SHA-256 of the file's content, in hexadecimal. A descriptor is closed."""
    with open(file, "rb") as opened_file:
        content = Hashed(opened_file, pace)
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

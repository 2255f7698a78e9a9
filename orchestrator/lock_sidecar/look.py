"""The locks on an app's data that the processes of one container hold.

- Files: `/proc/locks` lists the locks of the processes that it sees (proc_locks(5)). A lock for writing stops others. A
  lock for reading is SQLite's: it stops writers of a database with a rollback journal, and the checkpoints of one with
  a write-ahead log (SQLite: "File Locking And Concurrency", and os_unix.c for the bytes of the -shm file).
- PostgreSQL: the sessions that came from the container's address, in `pg_stat_activity` and `pg_locks`. Its URL is
  found in the environment, which is the app's.
"""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_FILES = 20_000
"""The number of files of the data that are known by name."""
POSTGRES_URL = re.compile(r"postgres(?:ql)?(?:\+\w+)?://(?P<rest>.+)", re.DOTALL)
SHARED_BYTES = range(0x4000_0002, 0x4000_0200)
WAL_BYTES = range(120, 128)
HEADER = b"SQLite format 3\0"
SESSIONS = """
SELECT a.state, EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.granted)
FROM pg_stat_activity a WHERE a.client_addr = %s::inet AND a.backend_type = 'client backend'
"""


@dataclass(frozen=True)
class Lock:
    """One line of `/proc/locks`. `last` is the last byte, or -1 for the end of the file."""

    writes: bool
    device: str
    inode: int
    first: int
    last: int

    def covers(self, some: range) -> bool:
        return self.first < some.stop and (self.last == -1 or self.last >= some.start)


def locks_in(listing: str) -> Iterator[Lock]:
    """The locks of a listing of `/proc/locks`, without the lines of those that wait for one ("->")."""
    for line in listing.splitlines():
        cells = line.split()
        if len(cells) == 8 and cells[5].count(":") == 2:
            major, minor, inode = cells[5].split(":")
            last = -1 if cells[7] == "EOF" else int(cells[7])
            yield Lock(cells[3] == "WRITE", f"{int(major, 16)}:{int(minor, 16)}", int(inode), int(cells[6]), last)


class Files:
    """The locks on the files of one folder."""

    def __init__(self, folder: Path, locks: Path = Path("/proc/locks")) -> None:
        self._folder, self._locks = folder, locks
        device = os.stat(folder).st_dev
        self._device = f"{os.major(device)}:{os.minor(device)}"
        self._names: dict[int, Path] = {}

    def held(self) -> list[str]:
        mine = [lock for lock in locks_in(self._locks.read_text()) if lock.device == self._device]
        return [f"{self._name(lock)} is locked" for lock in mine if lock.writes or self._stops_others(lock)]

    def _stops_others(self, lock: Lock) -> bool:
        path = self._path(lock.inode)
        if path is None:
            return False
        if path.name.endswith("-shm"):
            return lock.covers(WAL_BYTES)
        return lock.covers(SHARED_BYTES) and _has_rollback_journal(path)

    def _name(self, lock: Lock) -> str:
        path = self._path(lock.inode)
        return path.name if path else f"file {lock.inode}"

    def _path(self, inode: int) -> Path | None:
        if inode not in self._names:
            self._names = dict(_files_below(self._folder))
        return self._names.get(inode)


def _files_below(folder: Path) -> Iterator[tuple[int, Path]]:
    seen = 0
    for where, _, names in os.walk(folder):
        for name in names:
            path = Path(where) / name
            try:
                yield path.lstat().st_ino, path
            except FileNotFoundError:
                continue
            seen += 1
            if seen >= MOST_FILES:
                return


def _has_rollback_journal(path: Path) -> bool:
    """Whether the file is an SQLite database without a write-ahead log (SQLite: "Database File Format", 1.3)."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        head = os.read(descriptor, 20) if stat.S_ISREG(os.fstat(descriptor).st_mode) else b""
    finally:
        os.close(descriptor)
    return head.startswith(HEADER) and head[18:19] != b"\x02"


class Sessions:
    """The sessions of one address at a PostgreSQL server. Raises psycopg.Error."""

    def __init__(self, url: str, address: str) -> None:
        import psycopg

        self._address = address
        self._connection = psycopg.connect(url, autocommit=True, connect_timeout=5)
        seen: Any = self._connection.execute("SELECT host(inet_client_addr())").fetchone()
        own = socket.gethostbyname(socket.gethostname())
        self._hidden = seen is None or seen[0] != own

    def held(self) -> list[str]:
        if self._hidden:
            return ["the database server does not see which container a session is from"]
        found = []
        for state, has_advisory_lock in self._connection.execute(SESSIONS, [self._address]).fetchall():
            if has_advisory_lock:
                found.append("a session holds an advisory lock")
            elif state not in (None, "idle"):
                found.append(f"a session is {state}")
        return found


def databases(environment: Mapping[str, str]) -> list[str]:
    """The URLs of PostgreSQL servers in these environment variables, without the name of a driver."""
    urls = (POSTGRES_URL.fullmatch(value.strip()) for value in environment.values())
    return sorted({f"postgresql://{url['rest']}" for url in urls if url})

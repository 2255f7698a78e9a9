"""Which locks stop others: read from /proc/locks while this process, as a standby would, holds them."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.lock_sidecar.look import Files, databases, locks_in

HOLD = """
import sqlite3, sys, fcntl
path, what = sys.argv[1:]
if what == "flock":
    held = open(path, "a"); fcntl.flock(held, fcntl.LOCK_EX)
else:
    journal, _, what = what.partition(" ")
    base = sqlite3.connect(path, isolation_level=None)
    base.execute(f"PRAGMA journal_mode={journal}")
    base.execute("CREATE TABLE IF NOT EXISTS t(a)"); base.execute("INSERT INTO t VALUES (1), (2)")
    if what == "write": base.execute("BEGIN IMMEDIATE"); base.execute("INSERT INTO t VALUES (3)")
    if what == "read": base.execute("BEGIN"); rows = base.execute("SELECT * FROM t"); rows.fetchone()
    if what == "idle": base.execute("SELECT count(*) FROM t").fetchall()
print("held", flush=True); sys.stdin.read()
"""


@contextmanager
def holding(path: Path, what: str) -> Iterator[None]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), what], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        yield
    finally:
        child.kill()
        child.wait()
        for stream in (child.stdin, child.stdout):
            assert stream is not None
            stream.close()


@pytest.mark.parametrize(
    ("what", "held"),
    [
        ("delete write", True),
        ("delete read", True),
        ("delete idle", False),
        ("wal write", True),
        ("wal read", True),
        ("wal idle", False),
        ("flock", True),
    ],
)
def test_a_lock_that_stops_others_is_seen(tmp_path: Path, what: str, held: bool) -> None:
    path = tmp_path / "deep" / "shop.db"
    path.parent.mkdir()
    files = Files(tmp_path)

    with holding(path, what):
        # Other programs of this machine may lock files of the same device.
        mine = [one for one in files.held() if "shop.db" in one]
        assert bool(mine) is held, mine
    assert not [one for one in files.held() if "shop.db" in one]
    if what != "flock":
        sqlite3.connect(path).close()


def test_those_that_wait_for_a_lock_hold_none() -> None:
    listing = (
        "1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF\n"
        "1: -> POSIX  ADVISORY  WRITE 4000 fd:00:2531452 0 EOF\n"
        "2: FLOCK  ADVISORY  WRITE 3517 fd:00:2531448 0 EOF\n"
        "3: POSIX  ADVISORY  READ 3517 fd:00:2531440 128 128\n"
    )

    found = list(locks_in(listing))

    assert [(one.device, one.inode, one.writes, one.first, one.last) for one in found] == [
        ("253:0", 2531452, True, 0, -1),
        ("253:0", 2531448, True, 0, -1),
        ("253:0", 2531440, False, 128, 128),
    ]


def test_database_servers_are_found_in_the_environment_whatever_driver_they_name() -> None:
    environment = {
        "DATABASE_URL": "postgresql+psycopg://a:b@db/shop",
        "OTHER": "postgres://a:b@db/shop",
        "READ": "postgresql://c@db:5433/other?sslmode=disable",
        "CACHE": "redis://db",
        "TEXT": "see postgresql://db",
    }

    assert databases(environment) == ["postgresql://a:b@db/shop", "postgresql://c@db:5433/other?sslmode=disable"]

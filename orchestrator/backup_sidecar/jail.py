"""SQLite in a jail: it opens files by their path, and a path of an app's data may lead anywhere a moment later.

SQLite also opens, writes and deletes files that a database or its journal names. So whatever it does happens in a child
process whose root is a folder that has nothing but the app's own data and a place for copies. Standard library only.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

from orchestrator.files.beneath import Folder

SCRATCH = "scratch"
"""The folder of the jail in which copies are made."""
LOCK = "in-use"
MOST_ANSWER = 64 * 2**20
"""The longest answer of a confined process, in bytes."""


def seen_from(jail: Path | None, path: Path) -> Path:
    """The path by which a process in the jail finds what is at `path`."""
    return Path("/") / path.relative_to(jail) if jail else path


def scratch_of(jail: Path | None, otherwise: Path | None = None) -> Path | None:
    return jail / SCRATCH if jail else otherwise


def use(scratch: Path) -> int:
    """Use the folder of copies, with others, until the returned descriptor or this process ends.

    If nobody else uses it, what is there was left by a sidecar that was killed, and is removed. Who uses it is known by
    a lock, which the kernel ends with its process; the age of a file depends on a clock that can be set.
    """
    lock = os.open(scratch / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(lock, fcntl.LOCK_SH)
        return lock
    with Folder.open(scratch) as copies:
        for name in copies.names():
            if name != LOCK:
                copies.remove(name)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def confined(jail: Path | None, work: Callable[[], str]) -> str:
    """What `work` returns, done by a child process whose root is `jail`; by this process if there is no jail.

    Raises sqlite3.Error or OSError as `work` does. Needs the capability SYS_CHROOT, and no other thread.
    """
    if jail is None:
        return work()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _be_confined(jail, work, writing)
    os.close(writing)
    with open(reading, "rb") as answer:
        said = answer.read(MOST_ANSWER + 1)
    os.waitpid(child, 0)
    if len(said) > MOST_ANSWER:
        raise OSError("the process that read the database answered more than it may")
    if not said:
        raise OSError("the process that read the database ended without an answer")
    kind, text, code = json.loads(said)
    if kind == "answer":
        return str(text)
    error = _ERRORS.get(kind, OSError)(text)
    if isinstance(error, sqlite3.Error):
        error.sqlite_errorcode = code
    raise error


_ERRORS: dict[str, type[Exception]] = {
    "operational": sqlite3.OperationalError,
    "database": sqlite3.DatabaseError,
    "gone": FileNotFoundError,
}


def _be_confined(jail: Path, work: Callable[[], str], writing: int) -> None:
    """The life of the child. It ends here, whatever happens: nothing of its parent's is done twice."""
    try:
        os.chroot(jail)
        os.chdir("/")
        os.environ["SQLITE_TMPDIR"] = f"/{SCRATCH}"
        said = ("answer", work(), 0)
    except sqlite3.Error as error:
        kind = "operational" if isinstance(error, sqlite3.OperationalError) else "database"
        said = (kind, str(error), getattr(error, "sqlite_errorcode", 0))
    except FileNotFoundError as error:
        said = ("gone", str(error), 0)
    except BaseException as error:  # noqa: BLE001 (it is passed on to the parent)
        said = ("other", f"{type(error).__name__}: {error}", 0)
    try:
        os.write(writing, json.dumps(said).encode())
    finally:
        os._exit(0)

"""The state of the panel in a terminal: a file in the person's state folder, which they alone read.

Each run of `changeover panel` has a file of its own, which it locks, so that several runs at once do not overwrite each
other's. The system unlocks it when the process ends, in whatever way. The next run goes on with the one that was saved
last and that no other run has.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from panel.session.form import NotReadable, as_text, read_text
from panel.session.found import Found, set_aside
from panel.session.state import SessionState
from panel.session.unavailable import StoreUnavailable

FOLDER = "panel"
MOST_AT_ONCE = 100
"""Runs with one orchestrator; one more has no file, and saves nothing."""
LARGEST = 1_000_000
"""Bytes; a file that is larger is no state."""


class StateFile:
    """The file of one run. Its methods block: call them outside of the event loop. They raise StoreUnavailable.

    `folder` is the state folder, which is made when it is needed. A run uses the states of its orchestrator only, which
    is known by its URL.
    """

    def __init__(self, folder: Path, orchestrator: str) -> None:
        self._folder = folder / FOLDER
        self._name = hashlib.sha256(orchestrator.encode()).hexdigest()[:16]
        self._path: Path | None = None
        self._lock: int | None = None

    def load(self) -> Found:
        """Lock a file, and read it. One that cannot be read is kept under another name."""
        try:
            path = self._locked()
        except OSError as error:
            raise self._unavailable(error) from error
        try:
            with open(path, "rb") as file:
                return Found(read_text(file.read(LARGEST + 1)))
        except FileNotFoundError:
            return self._begun_beside_others()
        except (OSError, NotReadable) as error:
            return self._set_aside(path, str(error))

    def save(self, state: SessionState) -> None:
        """Replace the state. Whoever reads meanwhile finds the one before, whole, also after a power failure."""
        try:
            path = self._locked()
            new = path.with_suffix(".new")
            with open(os.open(new, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
                file.write(as_text(state))
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        except OSError as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        """Unlock the file."""
        if self._lock is not None:
            os.close(self._lock)
            self._path = self._lock = None

    def _locked(self) -> Path:
        if self._path is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for path in self._candidates():
                if self._take(path.with_suffix(".lock")):
                    self._path = path
                    return path
            raise OSError(f"{MOST_AT_ONCE} other runs have one")
        return self._path

    def _begun_beside_others(self) -> Found:
        """A run beside others begins anew, with what the person prefers in the one that was saved last."""
        for path in self._candidates():
            with suppress(OSError, NotReadable), path.open("rb") as file:
                other = read_text(file.read(LARGEST + 1))
                return Found(SessionState(release=other.release, preferences=other.preferences))
        return Found()

    def _candidates(self) -> Iterator[Path]:
        """Those that are there, the last saved first, then new ones."""
        all_names = [self._folder / f"{self._name}-{number}.json" for number in range(1, MOST_AT_ONCE + 1)]
        saved = {path: moment for path in all_names if (moment := _saved_at(path)) is not None}
        yield from sorted(saved, key=lambda path: saved[path], reverse=True)
        yield from (path for path in all_names if path not in saved)

    def _take(self, lock: Path) -> bool:
        descriptor = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except OSError:
            os.close(descriptor)
            raise
        self._lock = descriptor
        return True

    def _set_aside(self, path: Path, why: str) -> Found:
        aside = path.with_suffix(f".set-aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
        try:
            path.replace(aside)
        except OSError as error:
            raise self._unavailable(error) from error
        return set_aside(why, str(aside))

    def _unavailable(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self._path or self._folder} cannot be used: {error.strerror or error}.")


def _saved_at(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_mtime_ns
    return None

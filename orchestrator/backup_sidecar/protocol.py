"""The protocol of restores: which one was begun last in an app's data, and whether it was completed.

It is a file beside the app's backups, which no app can write. The orchestrator may be stopped between the end of a
restore and its own record of it: the next start reads here what is true. Standard library only.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

FILE = ".last-restore.json"
MOST_BYTES = 4096


class NotRecorded(Exception):
    """The folder of the backups takes no file. A restore that is not on record as complete can be undone."""


@dataclass(frozen=True)
class Protocol:
    """The protocol in `folder`, as the restore `token` writes and asks it. Every write is on the disk when it returns;
    it raises NotRecorded.

    `token` is another one for each restore.
    """

    folder: Path
    token: str

    def begin(self) -> None:
        """Nothing is replaced yet, and nothing is left of an earlier restore."""
        self._write(done=False)

    def complete(self) -> None:
        """All of the new data is in place. From now on it is not undone."""
        self._write(done=True)

    @property
    def is_begun(self) -> bool:
        """Whether this restore was begun, and no other one since."""
        return self._read().get("token") == self.token

    @property
    def is_complete(self) -> bool:
        return self.is_begun and self._read().get("done") is True

    def _write(self, *, done: bool) -> None:
        try:
            self._write_file(done=done)
        except OSError as error:
            raise NotRecorded(f"The restore cannot be recorded beside the backups: {error.strerror}.") from error

    def _write_file(self, *, done: bool) -> None:
        temporary = self.folder / f"{FILE}.new"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"token": self.token, "done": done}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / FILE)
        folder = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _read(self) -> dict[str, object]:
        try:
            descriptor = os.open(self.folder / FILE, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:
            return {}
        with os.fdopen(descriptor, "rb") as file:
            try:
                found = json.loads(file.read(MOST_BYTES))
            except ValueError:
                return {}  # nobody but us writes it, and a write is whole or not there
        return found if isinstance(found, dict) else {}

"""The configuration file, changed by revisions: comments kept, and all or nothing with the database.

A revision gets the document with `document()` and changes it in place. The changed file is written and synced beside
the old one before the database commits, under a name that says for which schema it is, and takes the old one's place
after that. A stop in between is settled at the next start: the database's schema says which of the two is right.
"""

from __future__ import annotations

import copy
import hashlib
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import context

if TYPE_CHECKING:
    from ruamel.yaml import YAML

KEY = "configuration"
WAITING = ".for-schema-"


class CannotChange(Exception):
    """The configuration file cannot be changed as a revision wants it. Nothing was committed."""


class Configuration:
    """One file, read once; `prepare` before the database commits, `put_in_place` after it."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        text = path.read_text(encoding="utf-8") if path and path.exists() else ""
        self.content: Any = _yaml().load(text) if text.strip() else {}  # Any: whatever the file says
        self._before = copy.deepcopy(self.content)
        self._waiting: Path | None = None

    def prepare(self, schema: str) -> None:
        """Raises CannotChange when it was changed and cannot be written."""
        if self.content == self._before:
            return
        if self._path is None:
            raise CannotChange("A revision changes the configuration file, and CHANGEOVER_CONFIG does not name it.")
        out = io.StringIO()
        _yaml().dump(self.content, out)
        waiting = _waiting_name(self._path, schema)
        try:
            status = self._path.stat() if self._path.exists() else None
            with waiting.open("w", encoding="utf-8") as file:
                file.write(out.getvalue())
                file.flush()
                os.fsync(file.fileno())
            if status:
                os.chmod(waiting, status.st_mode & 0o777)
                os.chown(waiting, status.st_uid, status.st_gid)
        except OSError as error:
            raise CannotChange(
                f"A revision changes {self._path.name}, which cannot be written: {error.strerror}. "
                "Let the orchestrator write the folder that it is in."
            ) from error
        self._waiting = waiting

    def put_in_place(self) -> None:
        if self._waiting and self._path:
            _replace(self._path, self._waiting)

    def discard(self) -> None:
        if self._waiting:
            self._waiting.unlink(missing_ok=True)


def document() -> Any:  # Any: the file's own structure, as ruamel.yaml's commented mappings
    """For revisions: the configuration as mappings and lists that keep their comments; change it in place."""
    return context.config.attributes[KEY].content


def finish_interrupted(path: Path, schema: str | None) -> None:
    """Finish or drop what a stop between the database's commit and the file's replacement left.

    Raises CannotChange when somebody has edited the file in between: both versions are kept for that person.
    """
    for waiting in path.parent.glob(f".{path.name}{WAITING}*"):
        wanted, _, digest = waiting.name.rpartition(WAITING)[2].partition(".")
        if wanted != schema:
            waiting.unlink()
        elif digest != _digest(path):
            raise CannotChange(
                f"{path.name} was edited while its migration to schema {schema} was under way. Bring the two together: "
                f"the migrated file is {waiting.name} beside it; remove that one when you are done."
            )
        else:
            _replace(path, waiting)


def _yaml() -> YAML:
    """Imported here: the panel's image, whose database has no such file beside it, does not bring it."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    return yaml


def _waiting_name(path: Path, schema: str) -> Path:
    return path.with_name(f".{path.name}{WAITING}{schema}.{_digest(path)}")


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest()[:12]


def _replace(path: Path, by: Path) -> None:
    previous = path.with_name(path.name + ".previous")
    if path.exists():
        previous.unlink(missing_ok=True)
        os.link(path, previous)
    os.replace(by, path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)

"""Changes of the configuration file by schema revisions, atomic with the change of the database. Comments are kept.

A revision gets the document by `document()` and changes it in place. The changed file is written and synced beside the
old one before the database commits; its name has the schema revision. After the commit it replaces the old file. After
a stop in between, `finish_interrupted` compares that name with the database's schema revision.
"""

from __future__ import annotations

import copy
import hashlib
import io
import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic import context

if TYPE_CHECKING:
    from ruamel.yaml import YAML

KEY = "configuration"
WAITING = ".for-schema-"


class CannotChange(Exception):
    """The configuration file cannot be changed as a schema revision requires."""


class Configuration:
    """One configuration file. Call `prepare` before the database commits, and `put_in_place` after that.

    The file is read when a schema revision asks for its `content`, not before: one that is not valid concerns only
    revisions that change it.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._before: Any = None
        self._waiting: Path | None = None

    @cached_property
    def content(self) -> Any:  # Any: any YAML document
        """The document, to be changed in place. Raises CannotChange when the file is not valid."""
        document = self._read()
        self._before = copy.deepcopy(document)
        return document

    def _read(self) -> Any:  # Any: any YAML document
        from ruamel.yaml.error import YAMLError  # imported here for the same reason as in `_yaml`

        if self._path is None or not self._path.exists():
            return {}
        try:
            text = self._path.read_text(encoding="utf-8")
            return _yaml().load(text) if text.strip() else {}
        except (OSError, ValueError, YAMLError) as error:
            why = _why(error)
            raise CannotChange(
                f"{self._path.name} must be changed for this version of Changeover, and cannot be read: {why}. Correct "
                "the file, then start again."
            ) from error

    def prepare(self, schema: str) -> None:
        """Write the changed file beside the old one. Raises CannotChange when it cannot be written."""
        if "content" not in self.__dict__ or self.content == self._before:
            return
        if self._path is None:
            raise CannotChange(
                "The configuration file cannot be changed: CHANGEOVER_CONFIG is not set. Set it to the file's path."
            )
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
                f"{self._path.name} cannot be written: {error.strerror}. "
                "Give the orchestrator write access to the folder of this file."
            ) from error
        self._waiting = waiting

    def put_in_place(self) -> None:
        if self._waiting and self._path:
            _replace(self._path, self._waiting)

    def discard(self) -> None:
        if self._waiting:
            self._waiting.unlink(missing_ok=True)


def document() -> Any:  # Any: the file's own structure, as ruamel.yaml's commented mappings
    """For schema revisions: the configuration as mappings and lists that keep comments, to be changed in place."""
    return context.config.attributes[KEY].content


def finish_interrupted(path: Path, schema: str | None) -> None:
    """Finish an interrupted change if the database was committed (`schema` is its schema revision), else discard it.

    Raises CannotChange when the file was edited meanwhile; then both versions are kept.
    """
    for waiting in path.parent.glob(f".{path.name}{WAITING}*"):
        wanted, _, digest = waiting.name.rpartition(WAITING)[2].partition(".")
        if wanted != schema:
            waiting.unlink()
        elif digest != _digest(path):
            raise CannotChange(
                f"{path.name} was edited during its migration to schema revision {schema}. Merge the migrated file "
                f"{waiting.name} in the same folder into it, then remove {waiting.name}."
            )
        else:
            _replace(path, waiting)


def _why(error: Exception) -> str:
    """Without the text of the file, which the parser quotes: it may be a password."""
    if isinstance(error, OSError):
        return error.strerror or "it cannot be opened"
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return f"it is not valid YAML near line {mark.line + 1}" if mark else "it is not valid YAML in UTF-8"


def _yaml() -> YAML:
    """A YAML parser that keeps comments. Imported here, because the panel's image does not have ruamel.yaml."""
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

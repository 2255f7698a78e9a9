"""Where each app's backups were kept, also when the app is not configured any more and nothing else says it."""

from __future__ import annotations

import json
from pathlib import Path

import structlog
from pydantic import TypeAdapter, ValidationError

from orchestrator.config.durable_text import save

log = structlog.get_logger()

_PLACES = TypeAdapter(dict[str, list[str]])


class BackupPlaces:
    """Volume names and folders of the host, by app, in a file of the state folder. Used on the event loop.

    Only places other than the usual one are kept. A file that cannot be written is logged, and written the next time:
    only `changeover remove` needs it.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._places = self._read()
        self._is_written = True

    def of(self, app: str) -> tuple[str, ...]:
        return tuple(self._places.get(app, ()))

    def remember(self, app: str, place: str) -> None:
        is_new = place not in self._places.get(app, ())
        if is_new:
            self._places.setdefault(app, []).append(place)
        if is_new or not self._is_written:
            self._write()

    def forget(self, app: str) -> None:
        if self._places.pop(app, None) or not self._is_written:
            self._write()

    def _read(self) -> dict[str, list[str]]:
        try:
            return _PLACES.validate_json(self._file.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, ValidationError) as error:
            log.error("places of backups not known", file=str(self._file), cause=str(error))
            return {}

    def _write(self) -> None:
        try:
            self._is_written = False
            save(self._file, json.dumps(self._places, indent=1) + "\n")
            self._is_written = True
        except OSError as error:
            log.error("places of backups not kept", file=str(self._file), cause=error.strerror)

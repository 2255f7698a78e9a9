"""The upgrade of the journal's own schema, before the journal is opened."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

import migrations
from migrations.database import known
from orchestrator.domain.schema_history import SchemaRevision
from orchestrator.domain.schema_report import reported
from orchestrator.errors import JournalError, JournalTooNew

MIGRATIONS_IN = Path(migrations.__file__).parent.parent


@dataclass(frozen=True)
class Migrated:
    revisions: tuple[SchemaRevision, ...]
    seconds: float


def bring_up_to_date(url: str, stands_at: str | None, configuration: Path | None) -> Migrated:
    """Run pending schema revisions, in another process, so that this one does not load Alembic.

    An SQLite journal is first copied to `journal.db.before-` and its schema revision. Raises JournalError.
    """
    if stands_at:
        _must_be_known(stands_at)
        _keep_copy(url, stands_at)
    if configuration:
        finish_configuration_change(configuration, stands_at)
    began = time.monotonic()
    command = [sys.executable, "-m", "migrations", "orchestrator", "upgrade"]
    environment = {**os.environ, "CHANGEOVER_DATABASE_URL": url}
    if configuration:
        environment["CHANGEOVER_CONFIG"] = str(configuration)
    ended = subprocess.run(command, env=environment, cwd=MIGRATIONS_IN, capture_output=True, text=True)
    if ended.returncode != 0:
        last = (ended.stderr.strip().splitlines() or ["no error was printed"])[-1]
        raise JournalError(f"The upgrade of the journal's schema failed: {last.rstrip('.')}.")
    revisions = tuple(found for line in ended.stdout.splitlines() if (found := reported(line)))
    return Migrated(revisions, time.monotonic() - began)


def finish_configuration_change(configuration: Path, stands_at: str | None) -> None:
    """Finish or discard an interrupted change of the configuration file. Raises JournalError."""
    if not any(configuration.parent.glob(f".{configuration.name}.for-schema-*")):
        return
    from migrations.configuration import CannotChange, finish_interrupted  # loads Alembic, which is rarely needed

    try:
        finish_interrupted(configuration, stands_at)
    except CannotChange as error:
        raise JournalError(str(error)) from error


def _must_be_known(schema: str) -> None:
    revisions = known("orchestrator")
    if schema not in revisions:
        raise JournalTooNew(
            f"The journal has schema revision {schema}, which this version of Changeover does not know; the newest one "
            f"that it knows is {max(revisions)}.",
            "Start the newer version of Changeover again. To go back to this version, replace an SQLite journal by the "
            "copy that was made before its upgrade: journal.db.before-REVISION in the same folder.",
        )


def _keep_copy(url: str, stands_at: str) -> None:
    database = sa.make_url(url)
    if database.get_backend_name() != "sqlite" or not database.database:
        return
    path = Path(database.database)
    try:
        with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(f"{path}.before-{stands_at}")) as copy:
            live.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise JournalError(
            f"The copy of the journal before its upgrade cannot be made: {error}.",
            f"Check the folder {path.parent} and its free disk space.",
        ) from error

"""The journal's own schema, brought up to date before the journal is opened."""

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
from orchestrator.errors import JournalError

MIGRATIONS_IN = Path(migrations.__file__).parent.parent


@dataclass(frozen=True)
class Migrated:
    revisions: tuple[SchemaRevision, ...]
    seconds: float


def bring_up_to_date(url: str, stands_at: str | None, configuration: Path | None) -> Migrated:
    """Run pending revisions, in a process of its own: this one need not carry Alembic for the rest of its life.

    An SQLite journal is copied first, to `journal.db.before-` and the schema it had. Raises JournalError.
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
        last = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise JournalError(f"The journal's schema was not upgraded: {last.rstrip('.')}.")
    revisions = tuple(found for line in ended.stdout.splitlines() if (found := reported(line)))
    return Migrated(revisions, time.monotonic() - began)


def finish_configuration_change(configuration: Path, stands_at: str | None) -> None:
    """Finish, or drop, a change of the configuration file that a stop interrupted. Raises JournalError."""
    if not any(configuration.parent.glob(f".{configuration.name}.for-schema-*")):
        return
    from migrations.configuration import CannotChange, finish_interrupted  # loads Alembic, for what hardly ever happens

    try:
        finish_interrupted(configuration, stands_at)
    except CannotChange as error:
        raise JournalError(str(error)) from error


def _must_be_known(schema: str) -> None:
    revisions = known("orchestrator")
    if schema not in revisions:
        raise JournalError(
            f"The journal has schema {schema}, and this Changeover knows none newer than {max(revisions)}.",
            "A newer Changeover has written it: start that one again. To go back, put the copy in its place that was "
            "made of an SQLite journal before it was changed: journal.db.before-… beside it.",
        )


def _keep_copy(url: str, stands_at: str) -> None:
    database = sa.make_url(url)
    if database.get_backend_name() != "sqlite" or not database.database:
        return
    path = Path(database.database)
    with closing(sqlite3.connect(path)) as live, closing(sqlite3.connect(f"{path}.before-{stands_at}")) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")

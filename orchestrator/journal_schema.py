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

from migrations.database import known
from orchestrator.errors import JournalError
from orchestrator.model import Revision
from orchestrator.schema import reported

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Migrated:
    revisions: tuple[Revision, ...]
    seconds: float


def bring_up_to_date(url: str, stands_at: str | None, configuration: Path | None) -> Migrated:
    """Run pending revisions, in a process of its own: this one need not carry Alembic for the rest of its life.

    An SQLite journal is copied first, to `journal.db.before-` and the schema it had. Raises JournalError.
    """
    if stands_at:
        _must_be_known(stands_at)
        _keep_copy(url, stands_at)
    if configuration:
        settle_configuration(configuration, stands_at)
    began = time.monotonic()
    command = [sys.executable, "-m", "migrations", "orchestrator", "upgrade"]
    environment = {**os.environ, "CHANGEOVER_DATABASE_URL": url}
    if configuration:
        environment["CHANGEOVER_CONFIG"] = str(configuration)
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if ended.returncode != 0:
        last = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise JournalError(f"The journal's schema could not be brought up to date: {last.rstrip('.')}.")
    revisions = tuple(found for line in ended.stdout.splitlines() if (found := reported(line)))
    return Migrated(revisions, time.monotonic() - began)


def settle_configuration(configuration: Path, stands_at: str | None) -> None:
    """Finish, or drop, a change of the configuration file that a stop interrupted. Raises JournalError."""
    if not any(configuration.parent.glob(f".{configuration.name}.for-schema-*")):
        return
    from migrations.configuration import CannotChange, settle  # loads Alembic, for what hardly ever happens

    try:
        settle(configuration, stands_at)
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

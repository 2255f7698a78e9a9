"""Runs schema revisions with Alembic: all pending ones in one transaction, with the configuration file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.script import Script, ScriptDirectory
from alembic.script.revision import ResolutionError
from alembic.util import CommandError

from migrations.configuration import KEY, Configuration
from migrations.database import BASE, current, home_folder


class Unreachable(Exception):
    """There is no path from the database's schema revision to the requested one."""


@dataclass(frozen=True)
class Revision:
    """One schema revision. `compatible`: whether the previous release can run on it. `says` is its description."""

    revision: str
    previous: str
    compatible: bool
    says: str


def pending(home: str, engine: sa.Engine, revision: str = "head") -> list[Revision]:
    """The pending schema revisions up to `revision`, the oldest first. Raises Unreachable."""
    return _between(home, current(engine) or BASE, revision)


def upgrade(home: str, engine: sa.Engine, revision: str = "head", configuration: Path | None = None) -> list[Revision]:
    """Run all pending schema revisions of `home` ("orchestrator" or "panel") up to `revision`, in one transaction.

    The `configuration` file is changed if the transaction is committed. Returns the revisions that were run. Raises
    Unreachable, or CannotChange when the file cannot be written.
    """
    todo = pending(home, engine, revision)
    _run(command.upgrade, home, engine, revision, configuration, todo[-1].revision if todo else "")
    return todo


def downgrade(home: str, engine: sa.Engine, revision: str, configuration: Path | None = None) -> list[Revision]:
    """Revert the schema revisions of `home` after `revision`, in one transaction. Returns and raises as `upgrade`."""
    stands_at = current(engine) or BASE
    todo = _between(home, revision, stands_at) if stands_at != BASE else []
    _run(command.downgrade, home, engine, revision, configuration, todo[0].previous if todo else "")
    return todo


def _run(
    run: Callable[[Config, str], None],
    home: str,
    engine: sa.Engine,
    revision: str,
    path: Path | None,
    leads_to: str,
) -> None:
    document = Configuration(path)
    try:
        with engine.begin() as connection:
            run(_alembic(home, connection, document), revision)
            document.prepare(leads_to)
    except BaseException:
        document.discard()
        raise
    document.put_in_place()


def _between(home: str, lower: str, upper: str) -> list[Revision]:
    scripts = ScriptDirectory(str(home_folder(home)))
    try:
        found = list(scripts.iterate_revisions(upper, lower))
    except (CommandError, ResolutionError) as error:
        raise Unreachable(
            f"This release has no path from schema revision {lower} to {upper}: {error}. "
            "Roll back, or deploy a release that has these schema revisions."
        ) from error
    return [_revision(one) for one in reversed(found)]


def _revision(script: Script) -> Revision:
    previous = script.down_revision
    assert previous is None or isinstance(previous, str)  # one line of revisions, no branches
    return Revision(script.revision, previous or BASE, script.module.compatible, (script.doc or "").partition("\n")[0])


def _alembic(home: str, connection: sa.Connection, document: Configuration) -> Config:
    config = Config()
    config.set_main_option("script_location", str(home_folder(home)))
    config.attributes["connection"] = connection
    config.attributes[KEY] = document
    return config

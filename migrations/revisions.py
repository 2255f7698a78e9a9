"""Running revisions with Alembic: all pending ones in one transaction, the configuration file with them."""

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
    """There is no way from the schema that the database stands at to the one asked for."""


@dataclass(frozen=True)
class Revision:
    """One revision. `compatible`: whether the release before can run on its schema."""

    revision: str
    previous: str
    compatible: bool
    says: str


def pending(home: str, engine: sa.Engine, revision: str = "head") -> list[Revision]:
    """The revisions that `engine` lacks up to `revision`, the oldest first. Raises Unreachable."""
    return _between(home, current(engine) or BASE, revision)


def upgrade(home: str, engine: sa.Engine, revision: str = "head", configuration: Path | None = None) -> list[Revision]:
    """Run all pending revisions of `home` ("orchestrator" or "panel") up to `revision`, in one transaction.

    What they change in the `configuration` file is changed with them, or not at all. Gives those that were run.
    Raises Unreachable, or CannotChange when the file cannot be written.
    """
    todo = pending(home, engine, revision)
    _run(command.upgrade, home, engine, revision, configuration, todo[-1].revision if todo else "")
    return todo


def downgrade(home: str, engine: sa.Engine, revision: str, configuration: Path | None = None) -> list[Revision]:
    """Take revisions of `home` back down to `revision`, as `upgrade` runs them; gives them. Raises as it does."""
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
            f"there is no way from schema {lower} to {upper} in this release: {error}. "
            "It is older or newer than the database; roll back instead, or deploy a newer release."
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

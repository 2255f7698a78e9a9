"""Migration runs of the apps' data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

from orchestrator.clock import now
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, SchemaRevision
from orchestrator.journal.database import Database
from orchestrator.journal.rows import migration_of, stored


class MigrationRuns(Database):
    """Queries of migration runs."""

    def migration_started(
        self,
        app: str,
        deployment_id: str,
        direction: Direction,
        revisions: Iterable[SchemaRevision] = (),
        as_of: datetime | None = None,
    ) -> int:
        """Record that a migration run starts. Returns its id, for `migration_ended`."""
        row = {
            "app": app, "deployment": deployment_id, "direction": direction, "outcome": Outcome.RUNNING,
            "revisions": [asdict(one) for one in revisions],
            "started_at": stored(now()), "note": "", "as_of": stored(as_of),
        }  # fmt: skip
        with self._writing() as connection:
            key = connection.execute(self._migrations.insert().values(row)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def migration_ended(self, run: int, outcome: Outcome, revisions: Iterable[SchemaRevision], note: str = "") -> None:
        values = {
            "outcome": outcome, "ended_at": stored(now()), "note": note, "revisions": [asdict(one) for one in revisions]
        }  # fmt: skip
        with self._writing() as connection:
            connection.execute(self._migrations.update().where(self._migrations.c.id == run).values(values))

    def add_migration(self, run: MigrationRun) -> None:
        """Record a migration run that has ended. It gets a new id."""
        row = {name: value for name, value in asdict(run).items() if name != "id"}
        moments = {name: stored(row[name]) for name in ("started_at", "ended_at", "as_of")}
        with self._writing() as connection:
            connection.execute(self._migrations.insert().values(row | moments))

    def migrations(self, app: str) -> list[MigrationRun]:
        """The app's migration runs, the oldest first."""
        table = self._migrations
        query = table.select().where(table.c.app == app).order_by(table.c.id)
        with self._reading() as connection:
            return [migration_of(row) for row in connection.execute(query).mappings()]

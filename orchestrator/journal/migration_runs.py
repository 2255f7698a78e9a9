"""Migration runs of the apps' data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime

import sqlalchemy as sa

from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, SchemaRevision
from orchestrator.journal.database import Database
from orchestrator.journal.rows import migration_of, stored


class MigrationRuns(Database):
    """Queries of migration runs."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known_runs: dict[str, list[MigrationRun]] = {}

    def _read_again(self, connection: sa.Connection) -> None:
        super()._read_again(connection)
        for app in list(self._known_runs):
            self._keep_runs(connection, app)

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
            "started_at": stored(self.timing.moment(deployment_id)), "note": "", "as_of": stored(as_of),
        }  # fmt: skip
        with self._writing() as connection:
            key = connection.execute(self._migrations.insert().values(self._border.values(row))).inserted_primary_key
            self._keep_runs(connection, app)
        assert key is not None
        return int(key[0])

    def migration_ended(self, run: int, outcome: Outcome, revisions: Iterable[SchemaRevision], note: str = "") -> None:
        table = self._migrations
        with self._writing() as connection:
            mine = table.c.id == run
            app, deployment = connection.execute(sa.select(table.c.app, table.c.deployment).where(mine)).one()
            values = {
                "outcome": outcome, "ended_at": stored(self.timing.moment(deployment)), "note": note,
                "revisions": [asdict(one) for one in revisions],
            }  # fmt: skip
            connection.execute(table.update().where(mine).values(self._border.values(values)))
            self._keep_runs(connection, str(app))

    def migration_never_began(self, run: int) -> None:
        """Forget a run whose command was never started: it did nothing to the data."""
        table = self._migrations
        with self._writing() as connection:
            mine = table.c.id == run
            app = connection.execute(sa.select(table.c.app).where(mine)).scalar_one()
            connection.execute(table.delete().where(mine))
            self._keep_runs(connection, str(app))

    def add_migration(self, run: MigrationRun) -> None:
        """Record a migration run that has ended. It gets a new id."""
        row = {name: value for name, value in asdict(run).items() if name != "id"}
        moments = {name: stored(row[name]) for name in ("started_at", "ended_at", "as_of")}
        with self._writing() as connection:
            connection.execute(self._migrations.insert().values(self._border.values(row | moments)))
            self._keep_runs(connection, run.app)

    def migrations(self, app: str) -> list[MigrationRun]:
        """The app's migration runs, the oldest first; from memory, if they were asked for or written before."""
        known = self._known_runs.get(app)
        if known is None:
            before = self._written
            with self._reading() as connection:
                known = self._runs(connection, app)
            if before == self._written:
                self._known_runs[app] = known
        return list(known)

    def _keep_runs(self, connection: sa.Connection, app: str) -> None:
        """Keep the app's runs as they are after this transaction."""
        runs = self._runs(connection, app)
        self._when_written(lambda: self._known_runs.update({app: runs}))

    def _runs(self, connection: sa.Connection, app: str) -> list[MigrationRun]:
        table = self._migrations
        query = table.select().where(table.c.app == app).order_by(table.c.id)
        return [migration_of(row) for row in connection.execute(query).mappings()]

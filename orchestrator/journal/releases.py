"""What became of each release of an app: every attempt to deploy it, however long ago."""

from __future__ import annotations

from functools import partial

import sqlalchemy as sa

from orchestrator.domain.deployment import Deployment, Kind
from orchestrator.domain.release_history import Attempt, attempt_by
from orchestrator.journal.database import Database
from orchestrator.journal.rows import attempt_of

COLUMNS = ("number", "id", "ref", "release", "state", "live_at", "failure", "interrupted_by", "backup", "volume")


class ReleaseRecords(Database):
    """Queries of releases. Rollbacks and restores of data are no attempts: they make no release live for the first
    time."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known_attempts: dict[str, tuple[Attempt, ...]] = {}

    def _read_again(self, connection: sa.Connection) -> None:
        super()._read_again(connection)
        for app in list(self._known_attempts):
            self._when_written(partial(self._known_attempts.update, {app: self._attempts_in(connection, app)}))

    def attempts(self, app: str) -> tuple[Attempt, ...]:
        """Every deployment of the app that has ended or is under way, the newest first; from memory, if they were
        asked for before."""
        if (known := self._known_attempts.get(app)) is not None:
            return known
        before = self._written
        with self._reading() as connection:
            found = self._attempts_in(connection, app)
        if before == self._written:
            self._known_attempts[app] = found
        return found

    def _attempts_in(self, connection: sa.Connection, app: str) -> tuple[Attempt, ...]:
        table = self._deployments
        makes = (table.c.kind == Kind.DEPLOY) | table.c.brings_release
        query = sa.select(*(table.c[name] for name in COLUMNS)).where((table.c.app == app) & makes)
        rows = connection.execute(query.order_by(table.c.number.desc())).mappings().all()
        return tuple(attempt_of(row) for row in rows)

    def _keep_attempt(self, deployment: Deployment) -> None:
        """A deployment was written."""
        known = self._known_attempts.get(deployment.app)
        if known is not None and (deployment.kind is Kind.DEPLOY or deployment.brings_release):
            others = [one for one in known if one.deployment != deployment.id]
            newest_first = sorted([*others, attempt_by(deployment)], key=lambda one: one.number, reverse=True)
            self._known_attempts[deployment.app] = tuple(newest_first)

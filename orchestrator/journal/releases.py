"""What became of each release of an app: every attempt to deploy it, however long ago."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.domain.deployment import Kind
from orchestrator.domain.release_history import Attempt
from orchestrator.journal.database import Database
from orchestrator.journal.rows import attempt_of

COLUMNS = ("number", "id", "ref", "release", "state", "live_at", "failure", "interrupted_by")


class ReleaseRecords(Database):
    """Queries of releases. Rollbacks and restores of data are no attempts: they make no release live for the first
    time."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known_attempts: dict[str, tuple[Attempt, ...]] = {}

    def attempts(self, app: str) -> tuple[Attempt, ...]:
        """Every deployment of the app that has ended or is under way, the newest first."""
        if (known := self._known_attempts.get(app)) is not None:
            return known
        table = self._deployments
        makes = (table.c.kind == Kind.DEPLOY) | table.c.brings_release
        query = sa.select(*(table.c[name] for name in COLUMNS)).where((table.c.app == app) & makes)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(table.c.number.desc())).mappings().all()
        found = self._known_attempts[app] = tuple(attempt_of(row) for row in rows)
        return found

    def _forget_attempts(self, app: str) -> None:
        """A deployment of the app was written."""
        self._known_attempts.pop(app, None)

"""The apps that were ever deployed, whether they are configured or not."""

from __future__ import annotations

import sqlalchemy as sa

from orchestrator.journal.database import Database


class KnownApps(Database):
    """Queries of the names of apps."""

    def apps_with_history(self) -> frozenset[str]:
        with self._reading() as connection:
            return frozenset(connection.execute(sa.select(self._deployments.c.app).distinct()).scalars())

    def has_history(self, app: str) -> bool:
        """Whether an app of this name was ever deployed."""
        with self._reading() as connection:
            its = sa.select(self._deployments.c.id).where(self._deployments.c.app == app).limit(1)
            return connection.execute(its).first() is not None

    def apps_with_traffic(self) -> frozenset[str]:
        """Those that had a live release when they were configured last."""
        with self._reading() as connection:
            return frozenset(
                connection.execute(sa.select(self._slots.c.app).where(self._slots.c.active != "")).scalars()
            )

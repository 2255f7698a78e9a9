"""Since when a container has its traffic, or had it last: a rollback to it comes later than its deployment."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa

from orchestrator.domain.deployment import Deployment, Kind
from orchestrator.journal.database import Database
from orchestrator.journal.rows import zoned_if_any


class LiveSince(Database):
    """Queries of when containers went live. A restore of data alone moves no traffic."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known_since: dict[str, datetime | None] = {}

    def _read_again(self, connection: sa.Connection) -> None:
        super()._read_again(connection)
        for container in list(self._known_since):
            self._when_written(partial(self._known_since.update, {container: self._since_in(connection, container)}))

    def live_since(self, container: str) -> datetime | None:
        """When the container went live last, None if it never did; from memory, if that was asked for before."""
        if container in self._known_since:
            return self._known_since[container]
        before = self._written
        with self._reading() as connection:
            found = self._since_in(connection, container)
        if before == self._written:
            self._known_since[container] = found
        return found

    def newest_live(self, container: str) -> int:
        """The number of the deployment or rollback by which the container went live last; 0 if it never did."""
        with self._reading() as connection:
            newest = self._moves_to(container, sa.func.max(self._deployments.c.number))
            return connection.execute(newest.where(self._deployments.c.live_at.is_not(None))).scalar() or 0

    def _since_in(self, connection: sa.Connection, container: str) -> datetime | None:
        newest = self._moves_to(container, sa.func.max(self._deployments.c.live_at))
        return zoned_if_any(connection.execute(newest).scalar())

    def _moves_to(self, container: str, what: sa.ColumnElement[Any]) -> sa.Select[Any]:  # Any: a moment or a number
        table = self._deployments
        moves = (table.c.kind != Kind.RESTORE) | table.c.brings_release
        return sa.select(what).where((table.c.container == container) & moves)

    def _keep_since(self, deployment: Deployment) -> None:
        """A deployment was written."""
        moves = deployment.kind is not Kind.RESTORE or deployment.brings_release
        if deployment.container in self._known_since and deployment.live_at and moves:
            known = self._known_since[deployment.container]
            self._known_since[deployment.container] = max(known or deployment.live_at, deployment.live_at)

"""The values of the configuration that releases were deployed with, as far as they are no secrets."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from orchestrator.journal.database import Database


class DeployedValues(Database):
    """Queries of them, by the id of the deployment."""

    def deployed_values(self, deployment: str) -> dict[str, str] | None:
        """None if they are not known, as of a release that an earlier version of Changeover deployed."""
        table = self._deployed_values
        with self._reading() as connection:
            row = connection.execute(table.select().where(table.c.deployment == deployment)).mappings().first()
        return dict(row["values"]) if row else None

    def save_deployed_values(self, app: str, deployment: str, values: Mapping[str, str], keep: Collection[str]) -> None:
        """Record them. Of the app's other deployments, only those of `keep` are kept."""
        table = self._deployed_values
        with self._writing() as connection:
            gone = (table.c.app == app) & table.c.deployment.not_in(list(keep))
            connection.execute(table.delete().where(gone | (table.c.deployment == deployment)))
            row = {"deployment": deployment, "app": app, "values": self._border.values(dict(values))}
            connection.execute(table.insert().values(row))

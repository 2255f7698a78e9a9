"""Deployments, their steps, and which of them each app's slots hold."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from datetime import datetime
from functools import partial

import sqlalchemy as sa

from orchestrator.domain.deployment import Deployment, Kind, Slots, State, StepName, StepRecord, StepState
from orchestrator.errors import UnknownDeployment
from orchestrator.journal.live_since import LiveSince
from orchestrator.journal.releases import ReleaseRecords
from orchestrator.journal.rows import deployment_of, row_of, step_of, stored

MOST_KNOWN = 1000
"""The number of deployments that are kept in memory: enough for the slots of hundreds of apps."""


class DeploymentRecords(ReleaseRecords, LiveSince):
    """Queries of deployments, steps and slots."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._known_deployments: dict[str, Deployment] = {}
        self._known_slots: dict[str, Slots] = {}
        self._changed: set[str] = set()
        """The deployments that the transaction under way has changed."""

    def _read_again(self, connection: sa.Connection) -> None:
        super()._read_again(connection)
        known = self._deployments.c.id.in_(list(self._known_deployments))
        for found in reversed(self._found(connection, known, MOST_KNOWN)):
            self._when_written(partial(self._keep, found))
        for app in list(self._known_slots):
            self._when_written(partial(self._known_slots.update, {app: self._slots_in(connection, app)}))

    def add(self, deployment: Deployment, idempotency_key: str | None = None) -> Deployment:
        """Record a new deployment. Returns it with its number: the next one, unless it has one already."""
        with self._writing() as connection:
            newest = connection.execute(sa.select(sa.func.max(self._deployments.c.number))).scalar() or 0
            numbered = replace(deployment, number=deployment.number or newest + 1)
            row = self._border.values(row_of(numbered)) | {
                "number": numbered.number,
                "idempotency_key": _key(deployment.app, idempotency_key) if idempotency_key else None,
            }
            connection.execute(self._deployments.insert().values(row))
            self._changed.add(deployment.id)
        return numbered

    def save(self, deployment: Deployment) -> None:
        with self._writing() as connection:
            self._save(connection, deployment)

    def rewrite(self, deployment_id: str) -> None:
        """Write a deployment as it is: what can only be read, as on a full disk, raises JournalError."""
        with self._writing() as connection:
            table = self._deployments
            connection.execute(table.update().where(table.c.id == deployment_id).values(state=table.c.state))

    def deployment(self, deployment_id: str) -> Deployment:
        """A deployment with its steps; from memory, if it was asked for or written before. Raises UnknownDeployment."""
        if known := self._known_deployments.get(deployment_id):
            return known
        return self.recorded(deployment_id)

    def recorded(self, deployment_id: str) -> Deployment:
        """A deployment as the database has it, whatever is in memory: for decisions after a write that failed.

        Raises UnknownDeployment.
        """
        before = self._written
        found = self._read(self._deployments.c.id == deployment_id)
        if not found:
            raise UnknownDeployment(
                f"There is no deployment {deployment_id}.", "List the deployments: changeover history"
            )
        if before == self._written:
            self._keep(found[0])
        return found[0]

    def maker_of(self, container: str) -> Deployment:
        """The deployment that made a container. Raises UnknownDeployment.

        Rollbacks and restores to it come later and name it, too. A restore that brings a release makes one.
        """
        table = self._deployments
        makes = (table.c.kind == Kind.DEPLOY) | table.c.brings_release
        found = self._read((table.c.container == container) & makes, 1)
        if not found:
            raise UnknownDeployment(f"The journal has no deployment that made the container {container}.")
        return found[0]

    def deployments(self, app: str, limit: int = 50, before: int | None = None) -> list[Deployment]:
        """The app's deployments, the newest first; only those with smaller numbers than `before` if it is given."""
        which = self._deployments.c.app == app
        return self._read(which if before is None else which & (self._deployments.c.number < before), limit)

    def unfinished(self) -> list[Deployment]:
        """Deployments of all apps that are queued, running, or live and not yet retired; the newest first."""
        table = self._deployments
        not_retired = (table.c.state == State.LIVE) & table.c.ended_at.is_(None)
        return self._read(table.c.state.in_([State.QUEUED, State.RUNNING]) | not_retired)

    def with_key(self, app: str, idempotency_key: str | None) -> Deployment | None:
        """The deployment that was requested for this app with this key; other apps have keys of their own."""
        if not idempotency_key:
            return None
        found = self._read(self._deployments.c.idempotency_key == _key(app, idempotency_key))
        return found[0] if found else None

    # Steps

    def step_started(self, deployment_id: str, name: StepName) -> None:
        with self._writing() as connection:
            mine = (self._steps.c.deployment == deployment_id) & (self._steps.c.name == name)
            connection.execute(self._steps.delete().where(mine))
            row = {"deployment": deployment_id, "name": name, "state": StepState.RUNNING, "note": ""}
            connection.execute(self._steps.insert(), row | {"started_at": stored(self.timing.moment(deployment_id))})
            self._changed.add(deployment_id)

    def step_ended(
        self, deployment_id: str, name: StepName, state: StepState, note: str = "", at: datetime | None = None
    ) -> None:
        """Record the end of a step: now, or at a moment of the deployment's timing."""
        with self._writing() as connection:
            mine = (self._steps.c.deployment == deployment_id) & (self._steps.c.name == name)
            ended_at = at or self.timing.moment(deployment_id)
            values: dict[str, object] = {"state": state, "ended_at": stored(ended_at)}
            if note:
                values["note"] = self._border.text(note)
            connection.execute(self._steps.update().where(mine), values)
            self._changed.add(deployment_id)

    # Slots

    def slots(self, app: str) -> Slots:
        """The app's slots; from memory, if they were asked for or written before."""
        if known := self._known_slots.get(app):
            return known
        before = self._written
        with self._reading() as connection:
            found = self._slots_in(connection, app)
        if before == self._written:
            self._known_slots[app] = found
        return found

    def save_switch(self, app: str, slots: Slots, *changed: Deployment) -> None:
        """Save the app's slots and the deployments that the switch changed, in one transaction."""
        with self._writing() as connection:
            for deployment in changed:
                self._save(connection, deployment)
            connection.execute(self._slots.delete().where(self._slots.c.app == app))
            connection.execute(self._slots.insert().values(app=app, **asdict(slots)))
            self._when_written(lambda: self._known_slots.update({app: slots}))

    # Rows and values

    def _slots_in(self, connection: sa.Connection, app: str) -> Slots:
        row = connection.execute(self._slots.select().where(self._slots.c.app == app)).mappings().first()
        return Slots(row["active"], row["standby"]) if row else Slots()

    def _save(self, connection: sa.Connection, deployment: Deployment) -> None:
        mine = self._deployments.update().where(self._deployments.c.id == deployment.id)
        # Not by `values`, from which the statement is made anew each time: that took longer than the database.
        connection.execute(mine, self._border.values(row_of(deployment)))
        self._changed.add(deployment.id)
        if deployment.ended_at:
            self.timing.end(deployment.id)

    def _read_changed(self, connection: sa.Connection) -> None:
        super()._read_changed(connection)
        changed, self._changed = self._changed, set()
        for found in self._found(connection, self._deployments.c.id.in_(changed), len(changed)) if changed else ():
            self._when_written(partial(self._keep, found))
            self._when_written(partial(self._keep_attempt, found))
            self._when_written(partial(self._keep_since, found))

    def _keep(self, deployment: Deployment) -> None:
        self._known_deployments.pop(deployment.id, None)
        while len(self._known_deployments) >= MOST_KNOWN:
            self._known_deployments.pop(next(iter(self._known_deployments)))
        self._known_deployments[deployment.id] = deployment

    def _read(self, which: sa.ColumnElement[bool], limit: int = 1000) -> list[Deployment]:
        with self._reading() as connection:
            return self._found(connection, which, limit)

    def _found(self, connection: sa.Connection, which: sa.ColumnElement[bool], limit: int) -> list[Deployment]:
        table = self._deployments
        query = table.select().where(which).order_by(table.c.number.desc()).limit(limit)
        found = [deployment_of(row) for row in connection.execute(query).mappings()]
        wanted = self._steps.c.deployment.in_([deployment.id for deployment in found])
        rows = connection.execute(self._steps.select().where(wanted)).mappings().all()
        order = list(StepName)
        by_deployment: dict[str, list[StepRecord]] = {}
        for row in rows:
            by_deployment.setdefault(row["deployment"], []).append(step_of(row))
        return [
            replace(one, steps=tuple(sorted(by_deployment.get(one.id, []), key=lambda step: order.index(step.name))))
            for one in found
        ]


def _key(app: str, idempotency_key: str | None) -> str | None:
    """As it is stored: of limited length, whatever a client sends."""
    return idempotency_key and hashlib.sha256(f"{app}\0{idempotency_key}".encode(errors="surrogatepass")).hexdigest()

"""The durable record of what is intended, under way and done.

Every write is committed, and on the disk, before the call returns: the pipeline acts only on what is written here.
Moments are stored as UTC without zone and returned with it.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter

from migrations.database import connect, current, head
from orchestrator.errors import JournalError, UnknownDeployment
from orchestrator.model import (
    Change,
    Colour,
    Deployment,
    Event,
    Failure,
    Kind,
    Release,
    Slots,
    State,
    StepName,
    StepRecord,
    StepState,
)

ROOT = Path(__file__).parent.parent
_CHANGES = TypeAdapter(tuple[Change, ...])
_FAILURE = TypeAdapter(Failure)


def now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """The record, in the database of `url`. One process writes it; the API and the pipeline read it."""

    def __init__(self, url: str) -> None:
        self._engine = connect(url)
        sa.event.listen(self._engine, "handle_error", _explain)
        if current(self._engine) != head("orchestrator"):
            _migrate(url)
        # The tables are what the migrations made; saying their columns again here would be a second truth.
        schema = sa.MetaData()
        schema.reflect(self._engine)
        tables = schema.tables
        self._deployments, self._steps, self._slots = tables["deployments"], tables["steps"], tables["slots"]
        self._events, self._tokens, self._audit = tables["events"], tables["tokens"], tables["audit"]

    # Deployments

    def add(self, deployment: Deployment, idempotency_key: str | None = None) -> None:
        with self._engine.begin() as connection:
            row = _deployment_row(deployment) | {"idempotency_key": idempotency_key}
            connection.execute(self._deployments.insert().values(row))

    def save(self, deployment: Deployment) -> None:
        with self._engine.begin() as connection:
            self._save(connection, deployment)

    def save_switch(self, app: str, slots: Slots, *changed: Deployment) -> None:
        """The app's slots and every deployment whose state the switch changed, in one transaction."""
        with self._engine.begin() as connection:
            for deployment in changed:
                self._save(connection, deployment)
            connection.execute(self._slots.delete().where(self._slots.c.app == app))
            connection.execute(self._slots.insert().values(app=app, **asdict(slots)))

    def deployment(self, deployment_id: str) -> Deployment:
        """Raises UnknownDeployment."""
        found = self._read(self._deployments.c.id == deployment_id)
        if not found:
            raise UnknownDeployment(f"no deployment {deployment_id}", "See 'changeover history' for those there are.")
        return found[0]

    def deployments(self, app: str, limit: int = 50) -> list[Deployment]:
        """The newest first."""
        return self._read(self._deployments.c.app == app, limit)

    def unfinished(self) -> list[Deployment]:
        """Deployments that a stop of the orchestrator left waiting, under way, or live but not yet retired."""
        table = self._deployments
        not_retired = (table.c.state == State.LIVE) & table.c.ended_at.is_(None)
        return self._read(table.c.state.in_([State.QUEUED, State.RUNNING]) | not_retired)

    def with_key(self, idempotency_key: str) -> Deployment | None:
        found = self._read(self._deployments.c.idempotency_key == idempotency_key)
        return found[0] if found else None

    # Steps

    def step_started(self, deployment_id: str, name: StepName) -> None:
        with self._engine.begin() as connection:
            mine = (self._steps.c.deployment == deployment_id) & (self._steps.c.name == name)
            connection.execute(self._steps.delete().where(mine))
            row = {"deployment": deployment_id, "name": name, "state": StepState.RUNNING, "note": ""}
            connection.execute(self._steps.insert().values(row | {"started_at": _stored(now())}))

    def step_ended(self, deployment_id: str, name: StepName, state: StepState, note: str = "") -> None:
        with self._engine.begin() as connection:
            mine = (self._steps.c.deployment == deployment_id) & (self._steps.c.name == name)
            values: dict[str, object] = {"state": state, "ended_at": _stored(now())}
            if note:
                values["note"] = note
            connection.execute(self._steps.update().where(mine).values(values))

    # Slots

    def slots(self, app: str) -> Slots:
        with self._engine.connect() as connection:
            row = connection.execute(self._slots.select().where(self._slots.c.app == app)).mappings().first()
        return Slots(row["active"], row["standby"]) if row else Slots()

    # Events

    def append_events(self, events: Iterable[tuple[str, str, str, dict[str, object]]]) -> list[Event]:
        """Each given as kind, app, deployment and fields; returned with their ids."""
        written = []
        with self._engine.begin() as connection:
            for kind, app, deployment_id, fields in events:
                at = now()
                row = {"at": _stored(at), "kind": kind, "app": app, "deployment": deployment_id, "fields": fields}
                key = connection.execute(self._events.insert().values(row)).inserted_primary_key
                assert key is not None
                written.append(Event(int(key[0]), at, kind, app, deployment_id, fields))
        return written

    def events(self, after: int = 0, deployment_id: str = "", limit: int = 1000) -> list[Event]:
        table = self._events
        query = table.select().where(table.c.id > after).order_by(table.c.id).limit(limit)
        if deployment_id:
            query = query.where(table.c.deployment == deployment_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Event(row["id"], _zoned(row["at"]), row["kind"], row["app"], row["deployment"], row["fields"])
            for row in rows
        ]

    def forget_output(self, app: str, keep: int) -> None:
        """Delete the lines that deployments of `app` printed, but for those of the last `keep`."""
        newest = [one.id for one in self.deployments(app, keep)]
        mine = sa.select(self._deployments.c.id).where(self._deployments.c.app == app)
        old = self._events.c.deployment.in_(mine) & self._events.c.deployment.not_in(newest)
        with self._engine.begin() as connection:
            connection.execute(self._events.delete().where((self._events.c.kind == "line") & old))

    def last_event_id(self) -> int:
        with self._engine.connect() as connection:
            return connection.execute(sa.select(sa.func.max(self._events.c.id))).scalar() or 0

    # Tokens and the audit log

    def add_token(self, name: str, secret: str, scope: str) -> None:
        with self._engine.begin() as connection:
            row = {"name": name, "digest": _digest(secret), "scope": scope, "created_at": _stored(now())}
            connection.execute(self._tokens.insert().values(row))

    def token(self, secret: str) -> tuple[str, str] | None:
        """Name and scope of a token that is known and not revoked."""
        mine = (self._tokens.c.digest == _digest(secret)) & self._tokens.c.revoked_at.is_(None)
        with self._engine.connect() as connection:
            row = connection.execute(self._tokens.select().where(mine)).mappings().first()
        return (row["name"], row["scope"]) if row else None

    def tokens(self) -> list[dict[str, object]]:
        columns = [self._tokens.c[name] for name in ("name", "scope", "created_at", "revoked_at")]
        with self._engine.connect() as connection:
            return [dict(row) for row in connection.execute(sa.select(*columns)).mappings()]

    def revoke_token(self, name: str) -> bool:
        mine = (self._tokens.c.name == name) & self._tokens.c.revoked_at.is_(None)
        with self._engine.begin() as connection:
            return connection.execute(self._tokens.update().where(mine).values(revoked_at=_stored(now()))).rowcount > 0

    def audit(self, who: str, origin: str, action: str, app: str) -> None:
        with self._engine.begin() as connection:
            row = {"at": _stored(now()), "who": who, "origin": origin, "action": action, "app": app}
            connection.execute(self._audit.insert().values(row))

    # Rows and values

    def _save(self, connection: sa.Connection, deployment: Deployment) -> None:
        mine = self._deployments.c.id == deployment.id
        connection.execute(self._deployments.update().where(mine).values(_deployment_row(deployment)))

    def _read(self, which: sa.ColumnElement[bool], limit: int = 1000) -> list[Deployment]:
        table = self._deployments
        query = table.select().where(which).order_by(table.c.requested_at.desc()).limit(limit)
        with self._engine.connect() as connection:
            found = [_deployment(row) for row in connection.execute(query).mappings()]
            wanted = self._steps.c.deployment.in_([deployment.id for deployment in found])
            rows = connection.execute(self._steps.select().where(wanted)).mappings().all()
        order = list(StepName)
        by_deployment: dict[str, list[StepRecord]] = {}
        for row in rows:
            by_deployment.setdefault(row["deployment"], []).append(_step(row))
        return [
            replace(one, steps=tuple(sorted(by_deployment.get(one.id, []), key=lambda step: order.index(step.name))))
            for one in found
        ]


def _migrate(url: str) -> None:
    """In a process of its own, so that this one need not carry Alembic for the rest of its life."""
    command = [sys.executable, "-m", "migrations", "orchestrator", "upgrade"]
    environment = {**os.environ, "CHANGEOVER_DATABASE_URL": url}
    ended = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
    if ended.returncode != 0:
        last = (ended.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise JournalError(f"The journal's schema could not be brought up to date: {last}.")


def _explain(context: sa.engine.ExceptionContext) -> None:
    """Tell what the database said in our own words (SQLAlchemy calls this before it raises)."""
    error = context.original_exception
    if "disk is full" in str(error):
        raise JournalError(
            "The journal cannot be written: its disk is full.",
            "Nothing was begun. Free some room ('docker builder prune', 'docker image prune'), then try again.",
        ) from error
    if isinstance(context.sqlalchemy_exception, sa.exc.OperationalError):
        raise JournalError(f"The journal's database does not do its work: {error}.") from error


def _digest(secret: str) -> str:
    # A token is 256 random bits: a plain digest is enough, there is nothing to guess that salt would protect.
    return hashlib.sha256(secret.encode()).hexdigest()


def _stored(moment: datetime | None) -> datetime | None:
    return moment.astimezone(UTC).replace(tzinfo=None) if moment else None


def _zoned(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC)


def _zoned_if_any(moment: datetime | None) -> datetime | None:
    return _zoned(moment) if moment else None


def _deployment_row(deployment: Deployment) -> dict[str, object]:
    row: dict[str, object] = {
        name: getattr(deployment, name)
        for name in (
            "id", "app", "kind", "state", "requested_by", "ref", "colour", "container", "address", "port", "previous",
        )
    }  # fmt: skip
    for moment in ("requested_at", "started_at", "live_at", "ended_at"):
        row[moment] = _stored(getattr(deployment, moment))
    row["release"] = asdict(deployment.release) if deployment.release else None
    row["changes"] = [asdict(change) for change in deployment.changes]
    row["failure"] = _FAILURE.dump_python(deployment.failure, mode="json") if deployment.failure else None
    return row


def _deployment(row: Any) -> Deployment:  # Any: SQLAlchemy's RowMapping is untyped for reflected tables
    return Deployment(
        id=row["id"],
        app=row["app"],
        kind=Kind(row["kind"]),
        state=State(row["state"]),
        requested_by=row["requested_by"],
        ref=row["ref"],
        release=Release(**row["release"]) if row["release"] else None,
        colour=Colour(row["colour"]) if row["colour"] else None,
        container=row["container"],
        address=row["address"],
        port=row["port"],
        previous=row["previous"],
        changes=_CHANGES.validate_python(row["changes"]),
        failure=_FAILURE.validate_python(row["failure"]) if row["failure"] else None,
        requested_at=_zoned(row["requested_at"]),
        started_at=_zoned_if_any(row["started_at"]),
        live_at=_zoned_if_any(row["live_at"]),
        ended_at=_zoned_if_any(row["ended_at"]),
    )


def _step(row: Any) -> StepRecord:  # Any: as above
    ended = _zoned(row["ended_at"]) if row["ended_at"] else None
    return StepRecord(StepName(row["name"]), StepState(row["state"]), _zoned(row["started_at"]), ended, row["note"])

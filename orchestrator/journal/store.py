"""The journal: the durable record of what is intended, running and done.

Every write is committed and on the disk before the call returns. Times are stored in UTC without a zone and returned
with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from migrations.database import connect, current, head
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment, Kind, Slots, State, StepName, StepRecord, StepState
from orchestrator.domain.events import Event, EventKind, NewEvent
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, SchemaRevision
from orchestrator.errors import UnknownDeployment
from orchestrator.journal.errors import explain
from orchestrator.journal.rows import deployment_of, migration_of, row_of, step_of, stored, zoned
from orchestrator.journal.upgrade import bring_up_to_date, finish_configuration_change

MOST_KNOWN = 1000
"""The number of deployments that are cached: enough for the slots of hundreds of apps."""
OWN = "orchestrator"
"""The app name under which the journal records the migrations of its own schema."""


class Journal:
    """The journal in the database of `url`. One process reads and writes it, on the event loop.

    Every method raises JournalError when the database does not answer or its disk is full.
    """

    def __init__(self, url: str, configuration: Path | None = None) -> None:
        """Upgrade the schema, and the file `configuration` if a schema revision changes it. Raises JournalError."""
        # Caches. This process alone writes the journal; each write removes what it changes from the caches.
        self._known_deployments: dict[str, Deployment] = {}
        self._known_slots: dict[str, Slots] = {}
        self._engine = connect(url)
        sa.event.listen(self._engine, "handle_error", explain)
        migrated = None
        if (stands_at := current(self._engine)) != head("orchestrator"):
            migrated = bring_up_to_date(url, stands_at, configuration)
        elif configuration:
            finish_configuration_change(configuration, stands_at)
        # The migrations define the tables; their columns are read from the database, not repeated here.
        schema = sa.MetaData()
        schema.reflect(self._engine)
        tables = schema.tables
        self._deployments, self._steps, self._slots = tables["deployments"], tables["steps"], tables["slots"]
        self._events, self._tokens, self._audit = tables["events"], tables["tokens"], tables["audit"]
        self._migrations = tables["migrations"]
        if migrated:
            run = self.migration_started(OWN, "", Direction.UP, migrated.revisions)
            self.migration_ended(run, Outcome.DONE, migrated.revisions, f"took {migrated.seconds:.2f} s")

    @property
    def backend(self) -> str:
        """The name of the database for people: SQLite or PostgreSQL."""
        return {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(
            self._engine.dialect.name, self._engine.dialect.name
        )

    @property
    def schema(self) -> str:
        return current(self._engine) or ""

    def close(self) -> None:
        """Close all connections. An SQLite journal is a single file then."""
        self._engine.dispose()

    # Deployments

    def add(self, deployment: Deployment, idempotency_key: str | None = None) -> None:
        with self._engine.begin() as connection:
            row = row_of(deployment) | {
                "idempotency_key": _key(deployment.app, idempotency_key) if idempotency_key else None
            }
            connection.execute(self._deployments.insert().values(row))

    def save(self, deployment: Deployment) -> None:
        with self._engine.begin() as connection:
            self._save(connection, deployment)

    def save_switch(self, app: str, slots: Slots, *changed: Deployment) -> None:
        """Save the app's slots and the deployments that the switch changed, in one transaction."""
        self._known_slots.pop(app, None)
        with self._engine.begin() as connection:
            for deployment in changed:
                self._save(connection, deployment)
            connection.execute(self._slots.delete().where(self._slots.c.app == app))
            connection.execute(self._slots.insert().values(app=app, **asdict(slots)))

    def deployment(self, deployment_id: str) -> Deployment:
        """A deployment with its steps. Raises UnknownDeployment."""
        if known := self._known_deployments.get(deployment_id):
            return known
        found = self._read(self._deployments.c.id == deployment_id)
        if not found:
            raise UnknownDeployment(
                f"There is no deployment {deployment_id}.", "List the deployments: changeover history"
            )
        if len(self._known_deployments) >= MOST_KNOWN:
            self._known_deployments.clear()
        self._known_deployments[deployment_id] = found[0]
        return found[0]

    def maker_of(self, container: str) -> Deployment:
        """The deployment that made a container. Raises UnknownDeployment."""
        found = self._read((self._deployments.c.container == container) & (self._deployments.c.kind == Kind.DEPLOY), 1)
        if not found:
            raise UnknownDeployment(f"The journal has no deployment that made the container {container}.")
        return found[0]

    def deployments(self, app: str, limit: int = 50) -> list[Deployment]:
        """The app's deployments, the newest first."""
        return self._read(self._deployments.c.app == app, limit)

    def unfinished(self) -> list[Deployment]:
        """Deployments of all apps that are queued, running, or live and not yet retired; the newest first."""
        table = self._deployments
        not_retired = (table.c.state == State.LIVE) & table.c.ended_at.is_(None)
        return self._read(table.c.state.in_([State.QUEUED, State.RUNNING]) | not_retired)

    def with_key(self, app: str, idempotency_key: str) -> Deployment | None:
        """The deployment that was requested for this app with this key; other apps have keys of their own."""
        found = self._read(self._deployments.c.idempotency_key == _key(app, idempotency_key))
        return found[0] if found else None

    # Steps

    def step_started(self, deployment_id: str, name: StepName) -> None:
        self._known_deployments.pop(deployment_id, None)
        with self._engine.begin() as connection:
            mine = (self._steps.c.deployment == deployment_id) & (self._steps.c.name == name)
            connection.execute(self._steps.delete().where(mine))
            row = {"deployment": deployment_id, "name": name, "state": StepState.RUNNING, "note": ""}
            connection.execute(self._steps.insert().values(row | {"started_at": stored(now())}))

    def step_ended(self, deployment_id: str, name: StepName, state: StepState, note: str = "") -> None:
        self._known_deployments.pop(deployment_id, None)
        with self._engine.begin() as connection:
            mine = (self._steps.c.deployment == deployment_id) & (self._steps.c.name == name)
            values: dict[str, object] = {"state": state, "ended_at": stored(now())}
            if note:
                values["note"] = note
            connection.execute(self._steps.update().where(mine).values(values))

    # Slots

    def slots(self, app: str) -> Slots:
        if known := self._known_slots.get(app):
            return known
        with self._engine.connect() as connection:
            row = connection.execute(self._slots.select().where(self._slots.c.app == app)).mappings().first()
        found = Slots(row["active"], row["standby"]) if row else Slots()
        self._known_slots[app] = found
        return found

    # Migrations of the apps' data

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
        with self._engine.begin() as connection:
            key = connection.execute(self._migrations.insert().values(row)).inserted_primary_key
        assert key is not None
        return int(key[0])

    def migration_ended(self, run: int, outcome: Outcome, revisions: Iterable[SchemaRevision], note: str = "") -> None:
        values = {
            "outcome": outcome, "ended_at": stored(now()), "note": note, "revisions": [asdict(one) for one in revisions]
        }  # fmt: skip
        with self._engine.begin() as connection:
            connection.execute(self._migrations.update().where(self._migrations.c.id == run).values(values))

    def add_migration(self, run: MigrationRun) -> None:
        """Record a migration run that has ended. It gets a new id."""
        row = {name: value for name, value in asdict(run).items() if name != "id"}
        moments = {name: stored(row[name]) for name in ("started_at", "ended_at", "as_of")}
        with self._engine.begin() as connection:
            connection.execute(self._migrations.insert().values(row | moments))

    def migrations(self, app: str) -> list[MigrationRun]:
        """The app's migration runs, the oldest first."""
        table = self._migrations
        query = table.select().where(table.c.app == app).order_by(table.c.id)
        with self._engine.connect() as connection:
            return [migration_of(row) for row in connection.execute(query).mappings()]

    # Events

    def append_events(self, events: Iterable[NewEvent]) -> None:
        """Record events, in their order and in one transaction."""
        rows = [asdict(event) | {"at": stored(now())} for event in events]
        if rows:
            with self._engine.begin() as connection:
                connection.execute(self._events.insert(), rows)

    def events(self, after: int = 0, deployment_id: str = "", limit: int = 1000) -> list[Event]:
        table = self._events
        query = table.select().where(table.c.id > after).order_by(table.c.id).limit(limit)
        if deployment_id:
            query = query.where(table.c.deployment == deployment_id)
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [
            Event(row["id"], zoned(row["at"]), row["kind"], row["app"], row["deployment"], row["fields"])
            for row in rows
        ]

    def forget_output(self, app: str, keep: int) -> None:
        """Delete the output lines of the app's deployments, except for those of the newest `keep`."""
        newest = [one.id for one in self.deployments(app, keep)]
        mine = sa.select(self._deployments.c.id).where(self._deployments.c.app == app)
        old = self._events.c.deployment.in_(mine) & self._events.c.deployment.not_in(newest)
        with self._engine.begin() as connection:
            connection.execute(self._events.delete().where((self._events.c.kind == EventKind.LINE) & old))

    def last_event_id(self) -> int:
        with self._engine.connect() as connection:
            return connection.execute(sa.select(sa.func.max(self._events.c.id))).scalar() or 0

    # Tokens and the audit log

    def add_token(self, name: str, secret: str, scope: str) -> None:
        with self._engine.begin() as connection:
            row = {"name": name, "digest": _digest(secret), "scope": scope, "created_at": stored(now())}
            connection.execute(self._tokens.insert().values(row))

    def token(self, secret: str) -> tuple[str, str] | None:
        """The name and scope of a token; None if it is unknown or revoked."""
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
            return connection.execute(self._tokens.update().where(mine).values(revoked_at=stored(now()))).rowcount > 0

    def audit(self, who: str, origin: str, action: str, app: str) -> None:
        with self._engine.begin() as connection:
            row = {"at": stored(now()), "who": who, "origin": origin, "action": action, "app": app}
            connection.execute(self._audit.insert().values(row))

    # Rows and values

    def _save(self, connection: sa.Connection, deployment: Deployment) -> None:
        self._known_deployments.pop(deployment.id, None)
        mine = self._deployments.c.id == deployment.id
        connection.execute(self._deployments.update().where(mine).values(row_of(deployment)))

    def _read(self, which: sa.ColumnElement[bool], limit: int = 1000) -> list[Deployment]:
        table = self._deployments
        query = table.select().where(which).order_by(table.c.requested_at.desc()).limit(limit)
        with self._engine.connect() as connection:
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


def _digest(secret: str) -> str:
    # A token has 256 random bits, so a digest without salt is enough.
    return hashlib.sha256(secret.encode()).hexdigest()

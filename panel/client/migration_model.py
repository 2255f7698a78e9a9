"""The schema of an app's data: its revisions, the runs of migrations, and what a rollback needs."""

from __future__ import annotations

from datetime import datetime

from panel.client.value import Value


class SchemaRevision(Value):
    """`compatible`: whether the previous release can run on its schema."""

    revision: str
    previous: str = ""
    compatible: bool = True
    says: str = ""


class NotKnown(SchemaRevision):
    """One that the data has and the live release does not know. `by`: the version that applied it, if that is known."""

    by: str = ""


class MigrationRun(Value):
    """One run of an app's migrations. The schema revisions are empty if the app does not report them."""

    deployment: str
    direction: str
    outcome: str
    from_schema: str
    to_schema: str
    started_at: datetime
    seconds: float | None = None
    note: str = ""


class RollbackNeeds(Value):
    """What a rollback to release `to` needs: `way` is switch, migrate, restore or none."""

    to: str
    way: str
    says: str
    remedy: str = ""


class Migrations(Value):
    """`pending` is None if the app has no status command or it failed; then `problem` is the error.

    `live`: the version of the live release. `not_known`: what the data has on record and that release does not know;
    `applied` is without it.
    """

    app: str
    live: str = ""
    applied: tuple[SchemaRevision, ...]
    not_known: tuple[NotKnown, ...] = ()
    pending: tuple[SchemaRevision, ...] | None
    problem: str = ""
    runs: tuple[MigrationRun, ...]
    rollback: RollbackNeeds

"""What the API says, as values. Fields that a newer orchestrator adds are ignored."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Slot(Value):
    colour: str
    version: str
    revision: str
    image: str
    container: str
    since: datetime | None = None


class Change(Value):
    revision: str
    kind: str
    scope: str
    subject: str
    breaking: bool = False


class Update(Value):
    version: str
    revision: str
    released_at: datetime
    checked_at: datetime
    origin: str
    changes: tuple[Change, ...] = ()


class Current(Value):
    id: str
    state: str
    step: str | None = None


class App(Value):
    name: str
    url: str
    active: Slot | None = None
    standby: Slot | None = None
    candidate: Slot | None = None
    update: Update | None = None
    deployment: Current | None = None
    health: str = "none"


class Step(Value):
    name: str
    state: str
    started_at: datetime
    seconds: float | None = None
    note: str = ""


class Failure(Value):
    step: str
    cause: str
    tip: str = ""
    log: tuple[str, ...] = ()
    exit_code: int | None = None
    oom: bool = False
    undone: tuple[str, ...] = ()


class Deployment(Value):
    id: str
    app: str
    kind: str
    state: str
    requested_by: str
    requested_at: datetime
    ref: str = ""
    live_at: datetime | None = None
    ended_at: datetime | None = None
    seconds: float | None = None
    held: float | None = None
    backup: str = ""
    version: str = ""
    revision: str = ""
    colour: str | None = None
    container: str = ""
    previous_version: str = ""
    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    failure: Failure | None = None

    @property
    def decided(self) -> bool:
        """Live, or ended in any other way: what `--wait` waits for."""
        return self.state not in ("queued", "running")


class Event(Value):
    id: int
    at: datetime
    kind: str
    app: str
    deployment: str
    fields: dict[str, Any] = {}  # Any: each kind of event has its own plain JSON


class Backup(Value):
    """`problem` says what is wrong with one that is damaged; `left_out` names links to outside. Sizes in bytes."""

    id: str
    app: str
    version: str
    reason: str
    created_at: datetime
    files: int
    data_size: int
    archive_size: int
    data_schema: str = ""
    schemas: dict[str, str] = {}
    left_out: tuple[str, ...] = ()
    releases_since: tuple[str, ...] = ()
    problem: str = ""


class Revision(Value):
    revision: str
    previous: str = ""
    compatible: bool = True
    says: str = ""


class MigrationRun(Value):
    deployment: str
    direction: str
    outcome: str
    from_schema: str
    to_schema: str
    started_at: datetime
    seconds: float | None = None
    note: str = ""


class WayBack(Value):
    """What a rollback would need: `way` is switch, migrate, restore or none."""

    to: str
    way: str
    says: str
    remedy: str = ""


class Migrations(Value):
    app: str
    applied: tuple[Revision, ...]
    pending: tuple[Revision, ...] | None
    problem: str = ""
    runs: tuple[MigrationRun, ...]
    rollback: WayBack


class Finding(Value):
    what: str
    well: bool
    says: str
    remedy: str = ""


STEPS = ("prepare", "fetch", "build", "backup", "migrate", "start", "verify", "switch", "retire")
"""The pipeline's steps in their order, for showing those that are still to come."""

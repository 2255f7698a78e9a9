"""A deployment: what was asked for, where it stands, its steps, and why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.colour import Colour
from orchestrator.domain.release import Change, Release
from orchestrator.domain.schema_history import SchemaRevision


class Kind(StrEnum):
    """What is asked for: a release to be made live, the standby, or the data of a backup."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTORE = "restore"


class State(StrEnum):
    """Where a deployment stands. All but the first two are ends."""

    QUEUED = "queued"
    RUNNING = "running"
    LIVE = "live"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self not in (State.QUEUED, State.RUNNING)


class StepName(StrEnum):
    """The pipeline's steps, in their order."""

    PREPARE = "prepare"
    FETCH = "fetch"
    BUILD = "build"
    BACKUP = "backup"
    MIGRATE = "migrate"
    START = "start"
    VERIFY = "verify"
    SWITCH = "switch"
    RETIRE = "retire"


class StepState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True)
class Failure:
    """Why a deployment failed, with all that a person needs to correct it."""

    step: StepName
    cause: str
    tip: str = ""
    log: tuple[str, ...] = ()
    exit_code: int | None = None
    oom: bool = False
    undone: tuple[str, ...] = ()


@dataclass(frozen=True)
class StepRecord:
    """One step of one deployment as the journal has it. Moments are UTC."""

    name: StepName
    state: StepState
    started_at: datetime
    ended_at: datetime | None = None
    note: str = ""

    @property
    def seconds(self) -> float | None:
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class Deployment:
    """Making one release live. Also the description of the container that it made."""

    id: str
    app: str
    kind: Kind
    state: State
    requested_by: str
    requested_at: datetime
    ref: str = ""
    started_at: datetime | None = None
    live_at: datetime | None = None
    ended_at: datetime | None = None
    release: Release | None = None
    colour: Colour | None = None
    container: str = ""
    address: str = ""
    port: int = 0
    previous: str = ""
    changes: tuple[Change, ...] = ()
    pending: tuple[SchemaRevision, ...] | None = None
    """The migrations that its data lacks; None where the app was not asked or cannot tell."""
    migrate: bool = False
    """Whether its migrations may run where `update.migrations.auto_run` is off."""
    backup: str = ""
    """The backup of the data as it was before."""
    paused_at: datetime | None = None
    resumed_at: datetime | None = None
    failure: Failure | None = None
    steps: tuple[StepRecord, ...] = ()

    @property
    def version(self) -> str:
        """For messages: the release's version, or the deployment's id where it has no release."""
        return self.release.version if self.release else self.id

    @property
    def seconds_to_live(self) -> float | None:
        """From the moment it was started, waiting in the queue not counted, to the moment it had the traffic."""
        if self.live_at is None or self.started_at is None:
            return None
        return (self.live_at - self.started_at).total_seconds()

    @property
    def kind_in_words(self) -> str:
        return "deployment" if self.kind is Kind.DEPLOY else str(self.kind)

    @property
    def paused_s(self) -> float | None:
        """How long requests were paused, in seconds: the longest time that one of them can have waited."""
        if self.paused_at is None or self.resumed_at is None:
            return None
        return (self.resumed_at - self.paused_at).total_seconds()

    def has_begun(self, step: StepName) -> bool:
        """Whether the journal has this step, in whatever state."""
        return any(record.name is step for record in self.steps)


@dataclass(frozen=True)
class Slots:
    """Which deployments of an app hold the traffic and the way back. Empty strings where there is none."""

    active: str = ""
    standby: str = ""

"""The words of the product as values. Nothing here does I/O or knows the rest of the project."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Colour(StrEnum):
    """The two slots of an app."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> Colour:
        return Colour.GREEN if self is Colour.BLUE else Colour.BLUE


class Kind(StrEnum):
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
class Release:
    """One immutable version of an app. `image` is the engine's content digest, `sha256:…`."""

    version: str
    revision: str
    image: str = ""


@dataclass(frozen=True)
class Revision:
    """One schema revision of an app's data, as the app itself reports it.

    `revision` names the schema that it leads to and `previous` the one that it leads from. `compatible` says whether
    the release before it can run on the new schema; `says` is what it is about.
    """

    revision: str
    previous: str = ""
    compatible: bool = True
    says: str = ""


class Direction(StrEnum):
    """Which way a migration took an app's data."""

    UP = "up"
    DOWN = "down"
    RESTORED = "restored"


class Outcome(StrEnum):
    """How a migration ended. One that is interrupted may or may not have been committed; recovery finds out."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Migration:
    """One run of migrations on an app's data. `as_of`: the moment of the backup that was restored."""

    id: int
    app: str
    deployment: str
    direction: Direction
    revisions: tuple[Revision, ...]
    outcome: Outcome
    started_at: datetime
    ended_at: datetime | None = None
    note: str = ""
    as_of: datetime | None = None

    @property
    def seconds(self) -> float | None:
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True)
class Failure:
    """Why a deployment failed, with all that a person needs to mend it."""

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
class Change:
    """One commit between two releases. `kind` is a Conventional Commits type, or empty."""

    revision: str
    kind: str
    scope: str
    subject: str
    breaking: bool = False


@dataclass(frozen=True)
class Update:
    """A release that could be deployed, and what it changes. `checked_at` is when the source was asked."""

    release: Release
    changes: tuple[Change, ...]
    released_at: datetime
    checked_at: datetime
    origin: str


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
    pending: tuple[Revision, ...] | None = None
    """The migrations that its data lacks; None where the app was not asked or cannot tell."""
    migrate: bool = False
    """Whether its migrations may run where `update.migrations.auto_run` is off."""
    backup: str = ""
    """The backup of the data as it was before."""
    held_at: datetime | None = None
    released_at: datetime | None = None
    failure: Failure | None = None
    steps: tuple[StepRecord, ...] = ()

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
    def held_seconds(self) -> float | None:
        """How long requests were held, which is the longest that one of them can have waited."""
        if self.held_at is None or self.released_at is None:
            return None
        return (self.released_at - self.held_at).total_seconds()


@dataclass(frozen=True)
class Slots:
    """Which deployments of an app hold the traffic and the way back. Empty strings where there is none."""

    active: str = ""
    standby: str = ""


@dataclass(frozen=True)
class Event:
    """One line of the journal's event stream. `id` grows by one; `fields` is plain JSON."""

    id: int
    at: datetime
    kind: str
    app: str
    deployment: str
    fields: dict[str, object] = field(default_factory=dict)

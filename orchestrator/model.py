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
    failure: Failure | None = None
    steps: tuple[StepRecord, ...] = ()

    @property
    def seconds_to_live(self) -> float | None:
        """From the moment it was started, waiting in the queue not counted, to the moment it had the traffic."""
        if self.live_at is None or self.started_at is None:
            return None
        return (self.live_at - self.started_at).total_seconds()


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

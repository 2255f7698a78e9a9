"""A deployment: what was requested, its state, its steps, and why it failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.colour import Colour
from orchestrator.domain.duration import seconds_between
from orchestrator.domain.in_hand import InHand
from orchestrator.domain.release import Change, Release
from orchestrator.domain.schema_history import SchemaRevision


class Kind(StrEnum):
    """What is requested: deploy a release, roll back to the standby, or restore the data of a backup."""

    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTORE = "restore"


class State(StrEnum):
    """The state of a deployment. All but the first two are final."""

    QUEUED = "queued"
    RUNNING = "running"
    LIVE = "live"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    UNCHANGED = "unchanged"
    """Its release was live already, made from the same configuration: nothing was done."""

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


class Interrupter(StrEnum):
    """What ended a deployment before it was live, other than a step that failed.

    A deployment that a person cancelled is not tried again by `auto_update`; one that a stop interrupted is.
    """

    PERSON = "person"
    """A person or a program cancelled it."""
    STOP = "stop"
    """The orchestrator was stopped, and compensated it."""
    KILL = "kill"
    """The orchestrator ended without compensating it; its next start did."""


class StepState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNDONE = "undone"


@dataclass(frozen=True)
class Serving:
    """What the active release answered when it was asked after a failure. `says` is a sentence."""

    answers: bool
    says: str


@dataclass(frozen=True)
class Failure:
    """Why a deployment failed.

    `tip` says what to do next; `log`, `exit_code` and `oom` are those of the container or command that failed; `undone`
    has one sentence for each undo. `outside`: the cause is not the release, so that another try may succeed: the disk
    is full, or the source, the engine, the proxy or the journal does not answer.
    `left` says what stands in the data that could not be undone, and `left_remedy` which command settles it; both are
    empty if nothing does. `serving` is what the active release answered afterwards; None for a failure of an earlier
    version, which did not ask.
    """

    step: StepName
    cause: str
    tip: str = ""
    log: tuple[str, ...] = ()
    exit_code: int | None = None
    oom: bool = False
    undone: tuple[str, ...] = ()
    outside: bool = False
    left: str = ""
    left_remedy: str = ""
    serving: Serving | None = None


@dataclass(frozen=True)
class StepRecord:
    """One step of a deployment, as recorded in the journal. Times are in UTC."""

    name: StepName
    state: StepState
    started_at: datetime
    ended_at: datetime | None = None
    note: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it took. None while it runs, or if that is not known."""
        return seconds_between(self.started_at, self.ended_at)


@dataclass(frozen=True)
class Deployment:
    """A deployment, rollback or restore, with the release and the container that it is about. Times are in UTC.

    Times are for people. What came before what is decided by `number`, because the clock of a host can be set back.
    """

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
    """The pending migrations; None when the app was not asked or has no status command."""
    migrate: bool = False
    """Whether migrations may run although `update.migrations.auto_run` is off."""
    backup: str = ""
    """The id of the backup that was made before the data changed."""
    paused_backup: str = ""
    """The id of the backup that was made while requests were paused: a restore of it before they are resumed loses no
    write that a client was told of."""
    cut: InHand | None = None
    """What draining cut, before the data changed and after the switch; None if nothing was cut so far."""
    paused_at: datetime | None = None
    resumed_at: datetime | None = None
    failure: Failure | None = None
    interrupted_by: Interrupter | None = None
    """What interrupted it; None for one that was not, and for one that an earlier version of Changeover recorded."""
    number: int = 0
    """Its place in the order of requests, of all apps; the journal assigns it. 0: not recorded yet."""
    known_run: int | None = None
    """The id of the app's last migration run when its release first went live, 0 if there was none. None: it was not
    live yet, or an earlier version of Changeover recorded it."""
    made_from: str = ""
    """A digest of the configuration that its container was made from. Empty: not known."""
    volume: str = ""
    """The data volume that its container was made with. Empty: none, or not known."""
    forced: bool = False
    """Whether it is carried out although its release is live already, with the same configuration."""
    brings_release: bool = False
    """Of a restore: whether it also deploys the release of the backup, in a container of its own."""
    steps: tuple[StepRecord, ...] = ()

    @property
    def version(self) -> str:
        """For messages: the release's version, or the deployment's id if it has no release yet."""
        return self.release.version if self.release else self.id

    @property
    def seconds_to_live(self) -> float | None:
        """Seconds from its start to its switch; the time in state `queued` is not counted. None before the switch, or
        if they are not known.
        """
        return seconds_between(self.started_at, self.live_at)

    @property
    def kind_in_words(self) -> str:
        return "deployment" if self.kind is Kind.DEPLOY else str(self.kind)

    def step_in_words(self, step: str) -> str:
        """The step's name, and what it does where a backup takes the place of the data, and no migrations run."""
        restores = self.kind is Kind.RESTORE or (self.kind is Kind.ROLLBACK and bool(self.ref))
        return f"replacing the data (step {step})" if restores and step == StepName.MIGRATE else step

    @property
    def paused_s(self) -> float | None:
        """How long requests were paused, in seconds; no request waited longer. None when none were paused, or if that
        is not known.
        """
        return seconds_between(self.paused_at, self.resumed_at)

    @property
    def made_no_container(self) -> bool:
        """Whether it ended before the container was made that it had chosen a name and a colour for."""
        made = self.live_at is not None or self.has_begun(StepName.START)
        return self.kind is Kind.DEPLOY and self.state.ended and self.state is not State.LIVE and not made

    def has_begun(self, step: StepName) -> bool:
        """Whether the step was begun, in whatever state it is now."""
        return any(record.name is step for record in self.steps)


@dataclass(frozen=True)
class Slots:
    """The ids of an app's active and standby deployments. Empty strings where there is none."""

    active: str = ""
    standby: str = ""

"""All kinds of events, as one enum, and for each kind a type with its fields.

To add an event, add a kind and a type. The API, the command and the panel read kinds and fields from the event stream;
`panel/client/events.py` is the reader's side, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar


class EventKind(StrEnum):
    QUEUED = "queued"
    STARTED = "started"
    STEP = "step"
    UNDO = "undo"
    LINE = "line"
    LIVE = "live"
    ENDED = "ended"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    RETIRE_FAILED = "retire_failed"
    UPDATE = "update"
    DISMISSED = "dismissed"
    SKIPPED = "skipped"
    CHECK_FAILED = "check_failed"
    CHECK_SUCCEEDED = "check_succeeded"
    CONFIG_LOADED = "config_loaded"
    CONFIG_REFUSED = "config_refused"
    START_FAILED = "start_failed"
    RECOVERY_FAILED = "recovery_failed"
    HEALTH = "health"
    FAILED_OVER = "failed_over"
    WENT_BACK = "went_back"
    FAILOVER_FAILED = "failover_failed"
    OUTAGE = "outage"
    OUTAGE_OVER = "outage_over"
    STANDBY_STAYS = "standby_stays"
    STANDBY_CRASHED = "standby_crashed"
    WAITING = "waiting"
    DRAINING = "draining"
    DRAINED = "drained"
    PROXY_WORKER_ENDED = "proxy_worker_ended"
    REPORT_FAILED = "report_failed"
    NOTICE_FAILED = "notice_failed"
    NOTICES_TAKEN = "notices_taken"
    SAMPLE = "sample"
    NOTICE_MUTED = "notice_muted"
    MUTED = "muted"
    UNMUTED = "unmuted"
    DISK_LOW = "disk_low"
    DISK_ENOUGH = "disk_enough"
    BACKUP_VERIFIED = "backup_verified"
    BACKUP_DELETED = "backup_deleted"


@dataclass(frozen=True)
class Event:
    """One event as recorded in the journal. `id` increases by one; `fields` has values that JSON can represent."""

    id: int
    at: datetime
    kind: str
    app: str
    deployment: str
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class NewEvent:
    """An event before the journal assigns its id and time."""

    kind: EventKind
    app: str
    deployment: str
    fields: dict[str, object]


@dataclass(frozen=True)
class Occurrence:
    """The base class of the event types. Each kind of event is a subclass with its fields."""

    kind: ClassVar[EventKind]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


@dataclass(frozen=True)
class Queued(Occurrence):
    """A deployment was requested."""

    kind = EventKind.QUEUED
    by: str


@dataclass(frozen=True)
class Started(Occurrence):
    """A deployment was started. `deployment_kind` is deploy, rollback or restore."""

    kind = EventKind.STARTED
    by: str
    deployment_kind: str


@dataclass(frozen=True)
class Step(Occurrence):
    """A step of a deployment began or ended. `note` is the cause when it failed. `seconds`: how long it took."""

    kind = EventKind.STEP
    step: str
    state: str
    note: str = ""
    seconds: float | None = None


@dataclass(frozen=True)
class Line(Occurrence):
    """One line of output of a build, a sidecar or a step."""

    kind = EventKind.LINE
    line: str


@dataclass(frozen=True)
class Live(Occurrence):
    """A release has the traffic. `seconds` is the time since the start, `paused` the seconds that requests waited."""

    kind = EventKind.LIVE
    seconds: float | None
    colour: str | None
    rollback: bool = False
    paused: float | None = None
    recovered: bool = False


@dataclass(frozen=True)
class Ended(Occurrence):
    """A deployment has ended: the old colour is drained and retired."""

    kind = EventKind.ENDED
    state: str


@dataclass(frozen=True)
class Failed(Occurrence):
    """A deployment failed, and its steps were compensated."""

    kind = EventKind.FAILED
    step: str
    cause: str


@dataclass(frozen=True)
class Cancelled(Occurrence):
    """A deployment was cancelled. `step` and `cause` are empty if it had not begun."""

    kind = EventKind.CANCELLED
    step: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Superseded(Occurrence):
    """A newer request replaced a deployment that was queued."""

    kind = EventKind.SUPERSEDED


@dataclass(frozen=True)
class Unchanged(Occurrence):
    """The release was live already, made from the same configuration. Nothing was deployed."""

    kind = EventKind.UNCHANGED
    version: str


@dataclass(frozen=True)
class Restored(Occurrence):
    """A backup was restored. `replaced` is the backup of the data that it replaced; `paused` is in seconds."""

    kind = EventKind.RESTORED
    backup: str
    replaced: str
    paused: float | None


@dataclass(frozen=True)
class RetireFailed(Occurrence):
    """The release is live, but the old colour could not be retired. The next deployment tries again."""

    kind = EventKind.RETIRE_FAILED
    cause: str
    remedy: str


@dataclass(frozen=True)
class UpdateFound(Occurrence):
    """A check found a newer release: `found_by` one at the start, in the background, or that somebody asked for."""

    kind = EventKind.UPDATE
    version: str
    found_by: str = ""


@dataclass(frozen=True)
class Dismissed(Occurrence):
    """A user dismissed an update for 24 hours."""

    kind = EventKind.DISMISSED
    version: str


@dataclass(frozen=True)
class ConfigLoaded(Occurrence):
    """A changed configuration is in use."""

    kind = EventKind.CONFIG_LOADED
    apps: list[str]


@dataclass(frozen=True)
class ConfigRefused(Occurrence):
    """A changed configuration is not valid. The last valid one stays in use."""

    kind = EventKind.CONFIG_REFUSED
    problems: list[str]


@dataclass(frozen=True)
class StartFailed(Occurrence):
    """The start of the orchestrator failed."""

    kind = EventKind.START_FAILED
    cause: str
    remedy: str


@dataclass(frozen=True)
class RecoveryFailed(Occurrence):
    """The recovery of one app failed at the orchestrator's start."""

    kind = EventKind.RECOVERY_FAILED
    cause: str
    remedy: str


@dataclass(frozen=True)
class HealthChanged(Occurrence):
    """The health of an app's active release changed. `health` is healthy, paused, unhealthy, crashing, standby, stopped
    or none."""

    kind = EventKind.HEALTH
    health: str


@dataclass(frozen=True)
class FailedOver(Occurrence):
    """The standby, of this version, answers because the active container ended. `seconds` is how long that took."""

    kind = EventKind.FAILED_OVER
    version: str
    cause: str
    seconds: float


@dataclass(frozen=True)
class WentBack(Occurrence):
    """The active container answers again. The standby answered `requests` requests in `seconds`."""

    kind = EventKind.WENT_BACK
    requests: int
    seconds: float


@dataclass(frozen=True)
class FailoverFailed(Occurrence):
    """The active container ended, and the standby cannot answer in its place."""

    kind = EventKind.FAILOVER_FAILED
    cause: str
    remedy: str


@dataclass(frozen=True)
class ProxyWorkerEnded(Occurrence):
    """A worker of the proxy from before a reload answered nothing, and was ended with its connections."""

    kind = EventKind.PROXY_WORKER_ENDED
    cause: str
    remedy: str = ""

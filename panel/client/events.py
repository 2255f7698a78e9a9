"""The events of the orchestrator's stream: one enum of kinds, and one type of fields for each kind.

The orchestrator has the same kinds in `orchestrator/domain/events.py`. A kind or field type of a newer orchestrator
gives `Unknown`, not an error.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AliasChoices, Field, ValidationError

from panel.client.event_fields import BackupDeleted as BackupDeleted
from panel.client.event_fields import BackupVerified as BackupVerified
from panel.client.event_fields import ConfigLoaded as ConfigLoaded
from panel.client.event_fields import ConfigRefused as ConfigRefused
from panel.client.event_fields import DiskEnough as DiskEnough
from panel.client.event_fields import DiskLow as DiskLow
from panel.client.event_fields import Dismissed as Dismissed
from panel.client.event_fields import Drained as Drained
from panel.client.event_fields import Draining as Draining
from panel.client.event_fields import Fields as Fields
from panel.client.event_fields import Muted as Muted
from panel.client.event_fields import NoticeFailed as NoticeFailed
from panel.client.event_fields import NoticeMuted as NoticeMuted
from panel.client.event_fields import NoticesTaken as NoticesTaken
from panel.client.event_fields import Outage as Outage
from panel.client.event_fields import OutageOver as OutageOver
from panel.client.event_fields import Skipped as Skipped
from panel.client.event_fields import StandbyCrashed as StandbyCrashed
from panel.client.event_fields import StandbyStays as StandbyStays
from panel.client.event_fields import Trouble as Trouble
from panel.client.event_fields import Undo as Undo
from panel.client.event_fields import Unmuted as Unmuted
from panel.client.event_fields import UpdateFound as UpdateFound
from panel.client.event_fields import Waiting as Waiting
from panel.client.traffic_sample import Sample as Sample
from panel.client.value import Value


class EventKind(StrEnum):
    """The kinds of events of an app, of a deployment, or of the orchestrator."""

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
    UPDATE = "update"
    DISMISSED = "dismissed"
    SKIPPED = "skipped"
    CHECK_FAILED = "check_failed"
    CHECK_SUCCEEDED = "check_succeeded"
    CONFIG_LOADED = "config_loaded"
    CONFIG_REFUSED = "config_refused"
    START_FAILED = "start_failed"
    RECOVERY_FAILED = "recovery_failed"
    RETIRE_FAILED = "retire_failed"
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


NOT_LIVE = frozenset({EventKind.FAILED, EventKind.CANCELLED, EventKind.SUPERSEDED, EventKind.UNCHANGED})
"""The kinds with which a deployment ends that did not become live."""

WENT_WELL = frozenset({EventKind.LIVE, EventKind.RESTORED})
"""The kinds with which a deployment, rollback or restore has done what it is for."""

DECIDED = NOT_LIVE | WENT_WELL
"""The kinds after which it is known whether a deployment, rollback or restore has done what it is for. One that has
still retires the old colour."""

DRAINED = frozenset({EventKind.DRAINED, EventKind.RETIRE_FAILED, EventKind.ENDED})
"""The kinds after which it is known what the drain of a live deployment has cut."""

LAST = NOT_LIVE | {EventKind.ENDED}
"""The kinds after which a deployment has no more events."""


class Unknown(Fields):
    """A kind that this client does not know."""


class Queued(Fields):
    """`by` is the name of the token that requested it."""

    by: str = ""


class Started(Fields):
    by: str = ""
    deployment_kind: str = ""


class Step(Fields):
    """`state` is one of StepState; `note` is the cause when the step failed. `seconds`: how long it took."""

    step: str = ""
    state: str = ""
    note: str = ""
    seconds: float | None = None


class Line(Fields):
    """One line of output of a build, a sidecar or a step."""

    line: str = ""


class Live(Fields):
    """`seconds`: from the start to the switch. `paused`: how long requests were paused, in seconds, or None."""

    seconds: float | None = None
    colour: str | None = None
    rollback: bool = False
    recovered: bool = False
    # Events that were recorded before the field was renamed have it as `held`.
    paused: float | None = Field(default=None, validation_alias=AliasChoices("paused", "held"))


class Ended(Fields):
    """`state` is one of DeploymentState."""

    state: str = ""


class NotLive(Fields):
    """A deployment ended without being live: at which step, and why."""

    step: str = ""
    cause: str = ""


class Failed(NotLive):
    pass


class Cancelled(NotLive):
    pass


class Superseded(Fields):
    pass


class Unchanged(Fields):
    """The release `version` was live already, made from the same configuration. Nothing was deployed."""

    version: str = ""


class Restored(Fields):
    """`backup` was restored; `replaced` is the backup of the data that it replaced."""

    backup: str = ""
    replaced: str = ""
    paused: float | None = Field(default=None, validation_alias=AliasChoices("paused", "held"))


class HealthChanged(Fields):
    """The health of an app's active release changed. `health` is healthy, paused, unhealthy, unreached, crashing,
    standby, stopped or none."""

    health: str = ""


class FailedOver(Fields):
    """The standby, of this version, answers because the active container ended."""

    version: str = ""
    cause: str = ""
    seconds: float = 0.0


class WentBack(Fields):
    """The active container answers again. The standby answered `requests` requests in `seconds`."""

    requests: int = 0
    seconds: float = 0.0


FIELDS: dict[EventKind, type[Fields]] = {
    EventKind.QUEUED: Queued,
    EventKind.STARTED: Started,
    EventKind.STEP: Step,
    EventKind.UNDO: Undo,
    EventKind.LINE: Line,
    EventKind.LIVE: Live,
    EventKind.ENDED: Ended,
    EventKind.FAILED: Failed,
    EventKind.CANCELLED: Cancelled,
    EventKind.SUPERSEDED: Superseded,
    EventKind.UNCHANGED: Unchanged,
    EventKind.RESTORED: Restored,
    EventKind.HEALTH: HealthChanged,
    EventKind.FAILED_OVER: FailedOver,
    EventKind.WENT_BACK: WentBack,
    EventKind.FAILOVER_FAILED: Trouble,
    EventKind.OUTAGE: Outage,
    EventKind.OUTAGE_OVER: OutageOver,
    EventKind.STANDBY_STAYS: StandbyStays,
    EventKind.STANDBY_CRASHED: StandbyCrashed,
    EventKind.WAITING: Waiting,
    EventKind.DRAINING: Draining,
    EventKind.DRAINED: Drained,
    EventKind.UPDATE: UpdateFound,
    EventKind.DISMISSED: Dismissed,
    EventKind.SKIPPED: Skipped,
    EventKind.CHECK_FAILED: Trouble,
    EventKind.CHECK_SUCCEEDED: Fields,
    EventKind.CONFIG_LOADED: ConfigLoaded,
    EventKind.CONFIG_REFUSED: ConfigRefused,
    EventKind.START_FAILED: Trouble,
    EventKind.RECOVERY_FAILED: Trouble,
    EventKind.RETIRE_FAILED: Trouble,
    EventKind.PROXY_WORKER_ENDED: Trouble,
    EventKind.REPORT_FAILED: Trouble,
    EventKind.NOTICE_FAILED: NoticeFailed,
    EventKind.NOTICES_TAKEN: NoticesTaken,
    EventKind.SAMPLE: Sample,
    EventKind.NOTICE_MUTED: NoticeMuted,
    EventKind.MUTED: Muted,
    EventKind.UNMUTED: Unmuted,
    EventKind.DISK_LOW: DiskLow,
    EventKind.DISK_ENOUGH: DiskEnough,
    EventKind.BACKUP_VERIFIED: BackupVerified,
    EventKind.BACKUP_DELETED: BackupDeleted,
}


class Event(Value):
    """One event as the stream has it. `kind` may be one that EventKind does not have. A sample has the id 0."""

    id: int
    at: datetime
    kind: str
    app: str = ""
    deployment: str = ""
    fields: dict[str, Any] = {}  # Any: plain JSON, as the orchestrator sent it

    @property
    def what(self) -> Fields:
        """The event's fields as the type of its kind."""
        return read_fields(self.kind, self.fields)


def read_fields(kind: str, fields: dict[str, Any]) -> Fields:
    """The fields of an event as the type of its kind; Unknown where this client does not know them."""
    if kind not in FIELDS:
        return Unknown()
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return FIELDS[EventKind(kind)].model_validate(given)
    except ValidationError:
        # A newer orchestrator may use another type for a field: treated as an unknown kind, not as an error.
        return Unknown()

"""The API's answers as values. Unknown fields, of a newer orchestrator, are ignored."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import AliasChoices, Field

from panel.client.failure import Failure, Unsettled
from panel.client.in_hand import InHand
from panel.client.update_model import Change as Change
from panel.client.update_model import Update as Update
from panel.client.value import Value


class StepState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class DeploymentState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    LIVE = "live"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    UNCHANGED = "unchanged"


class DeploymentKind(StrEnum):
    DEPLOY = "deploy"
    ROLLBACK = "rollback"
    RESTORE = "restore"


class Slot(Value):
    """The release in one colour; `since` is when it went live. `warning`: what speaks against a rollback to it."""

    colour: str
    version: str
    revision: str
    image: str
    container: str
    since: datetime | None = None
    warning: str = ""


class HeldBack(Value):
    """The newest release of the source, which is not offered as an update: why, and how to deploy it nevertheless.
    `dismissed`: a person does not want to be shown it in these 24 hours."""

    version: str
    revision: str
    says: str
    remedy: str = ""
    dismissed: bool = False


class Current(Value):
    """The running or queued deployment, and its newest step."""

    id: str
    state: str
    step: str | None = None


class Trouble(Value):
    """What is wrong, a line for each part, and what to do. `warns`: it is no alarm."""

    says: str
    remedy: str = ""
    since: datetime | None = None
    warns: bool = False


class App(Value):
    """`health`: `healthy`, `paused`, `unhealthy`, `unreached`, `crashing`, `standby` if the standby answers because the
    active container ended, `stopped`, or `none` if no release is live.

    `unsettled` is what a failed migration left in the data, until it is settled.
    """

    name: str
    url: str
    active: Slot | None = None
    standby: Slot | None = None
    candidate: Slot | None = None
    update: Update | None = None
    held_back: HeldBack | None = None
    updates_off: bool = False
    """Whether the source is asked only when a person or a push wants it."""
    notify_of: tuple[str, ...] = ()
    """The checks whose updates people are told of: `start`, `background`, `asked`. An older orchestrator has none."""
    deployment: Current | None = None
    health: str = "none"
    unsettled: Unsettled | None = None
    troubles: tuple[Trouble, ...] = ()
    """What keeps requests from it."""
    configuration_changed: bool = False
    """Whether the configuration was changed since the active release was deployed."""
    file_not_used: str = ""
    """That the saved configuration file is not in use, which deployments therefore do not take; empty if it is."""
    muted_until: datetime | None = None
    """Until when people are told nothing of it; None, or a moment that is over, if it is not muted."""

    def is_muted(self, now: datetime) -> bool:
        return self.muted_until is not None and now < self.muted_until


class Apps(Value):
    """`troubles` are those of the installation, such as a configuration that is refused."""

    apps: tuple[App, ...]
    troubles: tuple[Trouble, ...] = ()


class Leftover(Value):
    """What an app has left that is not configured any more."""

    app: str
    containers: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    backups: tuple[str, ...] = ()


class Step(Value):
    name: str
    state: str
    started_at: datetime
    seconds: float | None = None
    note: str = ""


class Deployment(Value):
    """`seconds`: from its start to the switch. `paused`: how long requests were paused, in seconds; None: not at all.

    `state` is one of DeploymentState and `kind` one of DeploymentKind, or an unknown one of a newer orchestrator.
    `slot`: whether its release is the active one or the standby now, or was removed with its app; empty if none of
    these, None if it is not known.
    `interrupted_by`: person, stop or kill; None if nothing interrupted it.
    """

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
    paused: float | None = Field(default=None, validation_alias=AliasChoices("paused", "held"))
    cut: InHand | None = None
    backup: str = ""
    version: str = ""
    revision: str = ""
    colour: str | None = None
    container: str = ""
    previous_version: str = ""
    changes: tuple[Change, ...] = ()
    steps: tuple[Step, ...] = ()
    failure: Failure | None = None
    slot: str | None = None
    interrupted_by: str | None = None

    @property
    def decided(self) -> bool:
        """Whether it is live or has ended in another state. `--wait` waits for this."""
        return self.state not in (DeploymentState.QUEUED, DeploymentState.RUNNING)


class Deployments(Value):
    """A page of the history, the newest first; `before` is the cursor of the next page, None after the last one."""

    deployments: tuple[Deployment, ...]
    before: int | None = None


class PlannedStep(Value):
    name: str
    description: str


class Plan(Value):
    """The steps that a deployment of this kind will take, in their order, and what it costs those who are connected."""

    app: str
    kind: str
    steps: tuple[PlannedStep, ...]
    cost: tuple[str, ...] = ()


class Backup(Value):
    """One backup; sizes are in bytes.

    `problem` is the error of a damaged one; `left_out` are links that point outside of the data. `notes` say what else
    is not in it as the app had it. `keep_backups` says how long a new one is kept; None if the orchestrator is an older
    one, or if it was not made now.
    """

    id: str
    app: str
    version: str
    image: str = ""
    reason: str
    created_at: datetime | None
    files: int
    data_size: int
    archive_size: int
    data_schema: str = ""
    schemas: dict[str, str] = {}
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    releases_since: tuple[str, ...] = ()
    problem: str = ""
    keep_backups: int | None = None
    verified_at: datetime | None = None
    """When every byte was compared with its checksums last, and was as it should be; None if it never was."""


class Backups(Value):
    backups: tuple[Backup, ...]


class Finding(Value):
    """The checked part, whether it is in order, and a remedy if it is not. `warns`: in order, with an accepted risk."""

    what: str
    well: bool
    says: str
    remedy: str = ""
    warns: bool = False


class Findings(Value):
    findings: tuple[Finding, ...]


class Validation(Value):
    """The errors of a configuration, and notices: keys that are accepted and have no effect yet."""

    problems: tuple[str, ...]
    notices: tuple[str, ...] = ()

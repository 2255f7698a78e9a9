"""Alerts: what went wrong with an app or with this host, from when until when, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from orchestrator.domain.events import EventKind, Occurrence


class AlertKind(StrEnum):
    """What went wrong."""

    DEPLOYMENT_FAILED = "deployment_failed"
    """A deployment, a rollback or a restore failed. It is over when a later one succeeds."""
    ROLLED_BACK = "rolled_back"
    """The same, after the traffic was sent to the release: it was sent back without a person."""
    FAILED_OVER = "failed_over"
    """The active container ended, and the standby answers in its place until the active one is well again."""
    OUTAGE = "outage"
    """The active release does not serve as it should, and nothing does in its place: the app is away."""
    DISK = "disk"
    """There is less free disk space than deployments require."""


@dataclass(frozen=True)
class Alert:
    """One alert. `app` is empty for one of the whole host, `deployment` where none is concerned. `ended_at` is None
    while it goes on. `muted`: the app was muted when it began. `id` is no positive number until the journal has it; a
    later alert has a larger one."""

    kind: AlertKind
    app: str
    began_at: datetime
    cause: str
    deployment: str = ""
    ended_at: datetime | None = None
    muted: bool = False
    id: int = 0


@dataclass(frozen=True)
class DiskLow(Occurrence):
    """There is less free disk space than `disk.min_free_mb` requires: deployments fail. Both are in megabytes."""

    kind = EventKind.DISK_LOW
    free_mb: int
    required_mb: int


@dataclass(frozen=True)
class DiskEnough(Occurrence):
    """There is enough free disk space again, in megabytes."""

    kind = EventKind.DISK_ENOUGH
    free_mb: int

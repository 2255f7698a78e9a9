"""Which alerts begin and end with an event: a pure function, so that a restart can go on where it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from orchestrator.domain.alert import Alert, AlertKind
from orchestrator.domain.deployment import StepName
from orchestrator.domain.events import Event, EventKind

FAILURES = frozenset({AlertKind.DEPLOYMENT_FAILED, AlertKind.ROLLED_BACK})
ABSENCES = frozenset({AlertKind.OUTAGE, AlertKind.FAILED_OVER})
ENDED_BY: dict[str, frozenset[AlertKind]] = {
    EventKind.LIVE: FAILURES,
    EventKind.RESTORED: FAILURES,
    EventKind.UNCHANGED: FAILURES,
    EventKind.WENT_BACK: frozenset({AlertKind.FAILED_OVER}),
    EventKind.OUTAGE_OVER: ABSENCES,
    EventKind.DISK_ENOUGH: frozenset({AlertKind.DISK}),
}
"""By the kind of an event: the alerts of its app that end with it."""
BEGUN_BY = frozenset({EventKind.FAILED, EventKind.FAILED_OVER, EventKind.OUTAGE, EventKind.DISK_LOW})
READ = BEGUN_BY | frozenset(map(EventKind, ENDED_BY)) | {EventKind.CONFIG_LOADED}
"""The kinds of events that alerts are made of."""


def changed_by(event: Event, going_on: Iterable[Alert], is_muted: Callable[[str, datetime], bool]) -> list[Alert]:
    """The alert that begins with an event, and those of `going_on` that end with it."""
    if event.kind == EventKind.CONFIG_LOADED:
        configured = event.fields.get("apps")
        apps = configured if isinstance(configured, list) else []
        return [replace(one, ended_at=event.at) for one in going_on if one.app and one.app not in apps]
    mine = [one for one in going_on if one.app == event.app]
    if event.kind in ENDED_BY:
        return [replace(one, ended_at=_end(event, one)) for one in mine if one.kind in ENDED_BY[event.kind]]
    kind, cause = _begun(event)
    if kind is None or (kind not in FAILURES and any(one.kind is kind for one in mine)):
        return []
    began = event.at - timedelta(seconds=_number(event, "seconds")) if kind in ABSENCES else event.at
    return [Alert(kind, event.app, began, cause, event.deployment, muted=is_muted(event.app, event.at))]


def _begun(event: Event) -> tuple[AlertKind | None, str]:
    """What begins with an event, and why; None if nothing does."""
    cause = str(event.fields.get("cause") or "")
    match event.kind:
        case EventKind.FAILED:
            step = str(event.fields.get("step") or "")
            kind = AlertKind.ROLLED_BACK if step == StepName.SWITCH else AlertKind.DEPLOYMENT_FAILED
            return kind, f"{step}: {cause}" if step else cause
        case EventKind.FAILED_OVER:
            return AlertKind.FAILED_OVER, _instead(str(event.fields.get("version") or ""), cause)
        case EventKind.OUTAGE if instead := str(event.fields.get("instead") or ""):
            return AlertKind.FAILED_OVER, _instead(instead, cause)
        case EventKind.OUTAGE:
            return AlertKind.OUTAGE, cause or f"its health is '{event.fields.get('health') or 'not known'}'"
        case EventKind.DISK_LOW:
            free, required = event.fields.get("free_mb"), event.fields.get("required_mb")
            return AlertKind.DISK, f"{free} MB are free, and deployments require {required} MB (disk.min_free_mb)"
    return None, ""


def _instead(version: str, cause: str) -> str:
    return f"{version} answers in its place: {cause}" if cause else f"{version} answers in its place"


def _end(event: Event, alert: Alert) -> datetime:
    """When it ended: the end of an outage is told when the app has been well for a while."""
    seconds = _number(event, "seconds") if event.kind == EventKind.OUTAGE_OVER else 0.0
    return min(alert.began_at + timedelta(seconds=seconds), event.at) if seconds else event.at


def _number(event: Event, field: str) -> float:
    value = event.fields.get(field)
    return float(value) if isinstance(value, int | float) else 0.0

"""Alerts in words."""

from __future__ import annotations

from datetime import datetime

from panel.client.alert_model import Alert
from panel.text.length import length

HOST = "this host"
WHAT = {
    "deployment_failed": "deployment failed",
    "rolled_back": "rolled back by itself",
    "failed_over": "failed over to the standby",
    "outage": "away",
    "disk": "disk space is running out",
}
DOWNTIMES = frozenset({"outage", "failed_over"})
"""The kinds that say that an app's active release did not serve."""


def what(alert: Alert) -> str:
    """An unknown kind, of a newer orchestrator, stands as it is."""
    return WHAT.get(alert.kind, alert.kind.replace("_", " "))


def whose(alert: Alert) -> str:
    return alert.app or HOST


def lasted(alert: Alert, now: datetime) -> str:
    """How long it took, or takes so far."""
    if alert.ended_at is None:
        return f"{length((now - alert.began_at).total_seconds())}, goes on"
    seconds = (alert.ended_at - alert.began_at).total_seconds()
    return length(seconds)

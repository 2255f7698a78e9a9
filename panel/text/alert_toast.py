"""What the panel tells at once, wherever the person is: that something went wrong, or is well again."""

from __future__ import annotations

from panel.client import events
from panel.client.events import Event


def alert_toast(event: Event) -> tuple[str, bool] | None:
    """A sentence, and whether it is a bad one; None for events that nobody is told of at once. What became of
    a deployment is told by the screen on which somebody follows it."""
    match event.what:
        case events.FailedOver(version=version, cause=cause):
            return f"{event.app} failed over to {version}: {cause}", True
        case events.Outage(cause=cause, instead="") as outage:
            return f"{event.app} is away: {cause or outage.health}", True
        case events.OutageOver(version=version):
            return f"{event.app} is healthy again, with {version}.", False
        case events.DiskLow(free_mb=free, required_mb=required):
            return f"Disk space is running out: {free} MB are free, and deployments require {required} MB.", True
    return None

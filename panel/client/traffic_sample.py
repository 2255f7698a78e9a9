"""The numbers of a second, as the event stream tells them to a reader who asks for samples."""

from __future__ import annotations

from panel.client.event_fields import Fields

Numbers = tuple[float | None, float | None, float | None]
"""Requests per second; of the last minute, the share that failed, and the p99 in milliseconds. None: not known."""


class Sample(Fields):
    """Only the apps whose numbers have changed. `ticks`: the new signs of probes, by app, the oldest first."""

    apps: dict[str, Numbers] = {}
    ticks: dict[str, str] = {}

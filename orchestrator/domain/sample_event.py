"""The numbers of a second, as an event that is told to those who watch, and never recorded."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.events import EventKind, Occurrence


@dataclass(frozen=True)
class Sampled(Occurrence):
    """`apps`: requests per second; of the last minute, the share that failed, and the p99 in milliseconds, each null if
    it is not known. Only of apps of which these have changed. `ticks`: the new signs of probes, by app."""

    kind = EventKind.SAMPLE
    apps: Mapping[str, tuple[float | None, float | None, float | None]]
    ticks: Mapping[str, str]

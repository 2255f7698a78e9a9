"""What each app's colour was asked since the orchestrator's start: the counters of /metrics."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from orchestrator.proxy.statistics import Totals
from orchestrator.traffic import latency
from orchestrator.traffic.differences import COUNTERS, Of
from orchestrator.traffic.latency import Buckets


@dataclass
class Counted:
    """`totals`: its counters since the start, and what there was at the last sample. `buckets`: how long requests took;
    `seconds` is the sum of these times."""

    totals: Totals = field(default_factory=Totals)
    buckets: Buckets = field(default_factory=dict)
    seconds: float = 0.0


class SinceStart:
    """Of both colours of each app, from the first sample on."""

    def __init__(self) -> None:
        self.of: dict[Of, Counted] = {}

    def count(self, counted: Mapping[Of, Totals], buckets: Mapping[Of, Buckets], apps: Collection[str]) -> None:
        """Add what happened since the last sample. Apps other than these are forgotten."""
        known_apps = set(apps)
        if any(app not in known_apps for app, _ in self.of):
            self.of = {of: one for of, one in self.of.items() if of[0] in known_apps}
        for of, totals in counted.items():
            if of[0] not in known_apps:
                continue
            known = self.of.setdefault(of, Counted())
            if any(totals) or any(known.totals[COUNTERS:]):
                sums = (one + more for one, more in zip(known.totals, totals, strict=True))
                known.totals = Totals(*sums)._replace(connections=totals.connections, queue=totals.queue)
            times = buckets.get(of, {})
            latency.add(known.buckets, times)
            known.seconds += sum(latency.ms_of(bucket) * count for bucket, count in times.items()) / 1000

"""What an app was asked in some time, added up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.domain.traffic import Point
from orchestrator.proxy.statistics import Totals
from orchestrator.traffic import latency
from orchestrator.traffic.latency import Buckets

SHARES = (0.5, 0.9, 0.99)
NOTHING = 1e-6


@dataclass
class Sums:
    """What an app was asked in some time: sums, from which its point is made. They are merged by addition."""

    requests: float = 0
    ok: float = 0
    redirects: float = 0
    client_errors: float = 0
    server_errors: float = 0
    failed: float = 0
    connections: float = 0
    queue: float = 0
    buckets: Buckets = field(default_factory=dict)

    def count(self, totals: Totals, buckets: Mapping[int, int], seconds: float = 1.0) -> None:
        """Of so many seconds, as their average."""
        self.requests += totals.requests / seconds
        self.ok += totals.ok / seconds
        self.redirects += totals.redirects / seconds
        self.client_errors += totals.client_errors / seconds
        self.server_errors += totals.server_errors / seconds
        self.failed += totals.failed / seconds
        self.connections += totals.connections
        self.queue += totals.queue
        latency.add(self.buckets, buckets)

    def add(self, other: Sums) -> None:
        self.requests += other.requests
        self.ok += other.ok
        self.redirects += other.redirects
        self.client_errors += other.client_errors
        self.server_errors += other.server_errors
        self.failed += other.failed
        self.connections += other.connections
        self.queue += other.queue
        latency.add(self.buckets, other.buckets)

    def take_away(self, other: Sums) -> None:
        """Remove what was added before."""
        self.requests -= other.requests
        self.ok -= other.ok
        self.redirects -= other.redirects
        self.client_errors -= other.client_errors
        self.server_errors -= other.server_errors
        self.failed -= other.failed
        self.connections -= other.connections
        self.queue -= other.queue
        latency.take_away(self.buckets, other.buckets)

    @property
    def is_quiet(self) -> bool:
        """Sums of averages, taken away again, leave a rest of rounding."""
        return not self.buckets and max(self.requests, self.failed, self.connections, self.queue) < NOTHING

    @property
    def errors(self) -> float | None:
        """The share of requests that the app or the proxy in its place failed to answer; None without requests."""
        failed = max(self.server_errors, self.failed, 0.0)
        return min(1.0, failed / self.requests) if self.requests > NOTHING else None

    def point(self, seconds: float) -> Point:
        """Over this time, in which connections and queue were looked at once a second."""
        counted = (self.requests, self.ok, self.redirects, self.client_errors, self.server_errors, self.failed)
        now = (self.connections, self.queue)
        return Point(*(count / seconds for count in (*counted, *now)), *latency.percentiles(self.buckets, SHARES))

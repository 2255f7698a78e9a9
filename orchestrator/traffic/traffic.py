"""The traffic of all apps, as the rest of the orchestrator knows it."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.proxy.base import Proxy
from orchestrator.supervision import Supervisor
from orchestrator.traffic.sampler import Sampler
from orchestrator.traffic.ticks import ProbeTicks


class Traffic:
    """Sampled from `start` on. `ticks` takes the results of probes."""

    def __init__(self, proxy: Proxy, apps: Callable[[], list[str]]) -> None:
        self.ticks = ProbeTicks()
        self.sampler = Sampler(proxy.statistics, proxy.request_log, apps, self.ticks, lambda minute: None)
        self.history, self.feed = self.sampler.history, self.sampler.feed
        self.since_start = self.sampler.since_start

    def start(self, supervisor: Supervisor) -> None:
        supervisor.keep("traffic samples", self.sampler.keep_sampling)
        supervisor.keep("answered requests", self.sampler.keep_following)

"""The traffic of all apps, as the rest of the orchestrator knows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from orchestrator.clock import now
from orchestrator.engine.base import Engine
from orchestrator.journal.store import Journal
from orchestrator.proxy.base import Proxy
from orchestrator.supervision import Supervisor
from orchestrator.traffic.columns import Columns, by_minute
from orchestrator.traffic.container_uses import ContainerUses
from orchestrator.traffic.history import BY_TEN
from orchestrator.traffic.minute_log import MinuteLog
from orchestrator.traffic.sampler import Sampler
from orchestrator.traffic.ticks import ProbeTicks

ON_THE_WAY_S = 60
"""Who asks for 6 hours has waited a moment until the question is answered."""


class Traffic:
    """Sampled from `start` on. `ticks` takes the results of probes."""

    def __init__(self, proxy: Proxy, engine: Engine, journal: Journal, apps: Callable[[], list[str]]) -> None:
        self.ticks, self.minutes, self.uses = ProbeTicks(), MinuteLog(journal), ContainerUses(engine)
        self._journal = journal
        self.sampler = Sampler(proxy, apps, self.ticks, lambda: self.uses.latest, self.minutes.add)
        self.history, self.feed = self.sampler.history, self.sampler.feed
        self.since_start = self.sampler.since_start

    def start(self, supervisor: Supervisor) -> None:
        supervisor.keep("traffic samples", self.sampler.keep_sampling)
        supervisor.keep("answered requests", self.sampler.keep_following)
        supervisor.keep("use of containers", self.uses.keep_looking)
        supervisor.keep("minutes of traffic", self.minutes.keep_recording)

    async def columns(self, app: str, since: datetime) -> Columns:
        """The numbers of an app from a moment on, in steps of 1 s for 10 minutes, 10 s for 6 hours, and 1 minute for 7
        days. Raises JournalError."""
        if now() - since <= timedelta(seconds=BY_TEN[0] * BY_TEN[1] + ON_THE_WAY_S):
            return self.history.points(app, since)
        return by_minute(await self._journal.beside(self._journal.minutes_of, app, since, now()))

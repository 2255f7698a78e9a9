"""Samples the proxy once a second: its counters, and how long the requests took that it has answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Protocol

import structlog

from orchestrator.clock import elapsed
from orchestrator.domain.traffic import Container, Minute, Use
from orchestrator.errors import ProxyError
from orchestrator.proxy.request_log import Answered, RequestLog
from orchestrator.proxy.statistics import Statistics, Totals
from orchestrator.traffic import latency
from orchestrator.traffic.differences import Differences, Of
from orchestrator.traffic.feed import GAP, Numbers, SampleFeed
from orchestrator.traffic.history import History
from orchestrator.traffic.latency import Buckets
from orchestrator.traffic.since_start import SinceStart
from orchestrator.traffic.sums import Sums
from orchestrator.traffic.ticks import ProbeTicks

log = structlog.get_logger()

SETTLE_S = 0.02
"""The lines of requests that the counters have come within so many seconds."""
LONGEST_S = 10
"""Counters that were not read for longer say nothing about this second."""
FOLLOW_AGAIN_S = 1.0


class Counting(Protocol):
    """The part of the proxy that is sampled."""

    @property
    def statistics(self) -> Statistics: ...
    @property
    def request_log(self) -> RequestLog: ...


class Sampler:
    """One task samples, another one follows the requests; both run until they are cancelled, also without a proxy.

    A second in which the proxy does not answer is a gap. `apps` gives the names of all apps, `uses` what containers use
    now, and `minute` takes each minute that is complete; it must not wait.
    """

    def __init__(
        self,
        proxy: Counting,
        apps: Callable[[], list[str]],
        ticks: ProbeTicks,
        uses: Callable[[], Mapping[Container, Use]],
        minute: Callable[[Minute], None],
    ) -> None:
        self.history, self.feed, self.since_start = History(uses), SampleFeed(), SinceStart()
        self._statistics, self._requests = proxy.statistics, proxy.request_log
        self._apps, self._ticks = apps, ticks
        self._minute = minute
        self._differences = Differences()
        self._buckets: dict[Of, Buckets] = {}
        """Of the requests that were answered since the last sample."""
        self._read: int | None = None
        """The second in which the counters were read last."""

    async def keep_sampling(self) -> None:
        second = int(elapsed())
        try:
            while True:
                second = max(second + 1, int(elapsed()))
                await asyncio.sleep(second - elapsed())
                await self.sample(second)
        finally:
            self._statistics.close()

    async def keep_following(self) -> None:
        while True:
            try:
                async with aclosing(self._requests.follow()) as answered:
                    async for several in answered:
                        for one in several:
                            self.heard(one)
            except ProxyError as error:
                log.debug("requests not followed", cause=error.cause)
                await asyncio.sleep(FOLLOW_AGAIN_S)
            else:
                await asyncio.sleep(SETTLE_S)

    def heard(self, request: Answered) -> None:
        """The proxy has answered a request."""
        if request.own:
            self._differences.own(request)
        elif request.ms is not None:
            bucket, buckets = latency.bucket_of(request.ms), self._buckets.setdefault((request.app, request.colour), {})
            buckets[bucket] = buckets.get(bucket, 0) + 1

    async def sample(self, second: int) -> None:
        apps = self._apps()
        try:
            reading = await self._statistics.read()
        except ProxyError as error:
            log.debug("no sample", cause=error.cause)
            self._tell_gap(apps)
            return
        await asyncio.sleep(SETTLE_S)
        counted, buckets = self._differences.take(reading), self._buckets
        self._buckets = {}
        seconds, self._read = second - self._read if self._read is not None else 0, second
        if counted is None:
            self._tell_gap(apps)
            return
        self.since_start.count(counted, buckets, apps)
        if seconds > LONGEST_S:
            self._tell_gap(apps)
            return
        self._put(second, seconds, _by_app(counted, buckets, seconds), apps)

    def _put(self, second: int, seconds: int, sums: dict[str, Sums], apps: list[str]) -> None:
        if minute := self.history.put(second, sums, apps):
            self._minute(minute)
        minute_of = self.history.last_minute
        busy = {app for app in (*sums, *minute_of.apps()) if app in apps}
        numbers = {app: self._numbers(app, sums.get(app)) for app in busy}
        self._tell(numbers, apps)

    def _numbers(self, app: str, sums: Sums | None) -> Numbers:
        errors, p99 = self.history.last_minute.errors(app), self.history.last_minute.p99(app)
        return (
            round(sums.requests, 1) if sums else 0.0,
            None if errors is None else round(errors, 4),
            None if p99 is None else float(f"{p99:.3g}"),
        )

    def _tell_gap(self, apps: list[str]) -> None:
        self._tell(dict.fromkeys(apps, GAP), apps)

    def _tell(self, numbers: dict[str, Numbers], apps: list[str]) -> None:
        self._ticks.keep(apps)
        self.feed.tell(numbers, self._ticks.new())


def _by_app(counted: dict[Of, Totals], buckets: dict[Of, Buckets], seconds: int) -> dict[str, Sums]:
    """Of the apps that had anything; both colours together."""
    found: dict[str, Sums] = {}
    for of, totals in counted.items():
        times = buckets.get(of, {})
        if any(totals) or times:
            found.setdefault(of[0], Sums()).count(totals, times, seconds)
    return found

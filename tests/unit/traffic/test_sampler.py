"""Counters of the proxy become requests per second; what is not known is a gap."""

from __future__ import annotations

import asyncio

from orchestrator.domain.colour import Colour
from orchestrator.proxy.request_log import Answered
from orchestrator.proxy.statistics import Totals
from orchestrator.traffic.history import Tally
from orchestrator.traffic.sampler import Sampler
from orchestrator.traffic.ticks import ProbeTicks
from tests.support import virtual_time
from tests.support.fakes.traffic import FakeRequestLog, FakeStatistics

APPS = ["shop", "idle"]


class Watched:
    """A sampler on fakes, whose seconds a test counts."""

    def __init__(self) -> None:
        self.proxy, self.minutes, self.second = FakeStatistics(), list[Tally](), 0
        self.apps = list(APPS)
        self.sampler = Sampler(self.proxy, FakeRequestLog(), lambda: self.apps, ProbeTicks(), self.minutes.append)

    async def sample(self, *, after: int = 1) -> None:
        self.second += after
        await self.sampler.sample(self.second)

    def requests(self, app: str = "shop", seconds: int = 5) -> list[float | None]:
        return self.sampler.history.seconds.requests(app, seconds)


async def test_requests_are_counted_from_the_second_sample_on() -> None:
    watched = Watched()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=1000, ok=1000))
    await watched.sample()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=40, ok=30, server_errors=10))
    await watched.sample()
    await watched.sample()

    assert watched.requests(seconds=2) == [40, 0]
    assert watched.requests("idle", 2) == [0, 0]
    assert watched.sampler.history.last_minute.errors("shop") == 0.25


async def test_a_reload_of_the_proxy_loses_no_request_and_counts_none_twice() -> None:
    watched = Watched()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=1000))
    await watched.sample()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=5))
    watched.proxy.reload()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=7))
    await watched.sample()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=2), worker=1)
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=3))
    await watched.sample()
    del watched.proxy.workers[1]
    await watched.sample()

    assert watched.requests(seconds=3) == [12, 5, 0]


async def test_a_proxy_that_was_started_again_counts_from_zero() -> None:
    watched = Watched()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=1000))
    await watched.sample()
    watched.proxy.restart()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=4))
    await watched.sample()

    assert watched.requests(seconds=1) == [4]


async def test_a_proxy_that_is_away_is_a_gap_and_no_zero() -> None:
    watched = Watched()
    await watched.sample()
    await watched.sample()
    watched.proxy.is_away = True
    await watched.sample()
    watched.proxy.is_away = False
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=8))
    await watched.sample()

    assert watched.requests(seconds=3) == [0, None, 4]


async def test_after_a_long_gap_the_first_second_is_not_known_either() -> None:
    watched = Watched()
    await watched.sample()
    await watched.sample()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=10_000))
    await watched.sample(after=3600)
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=3))
    await watched.sample()

    assert watched.requests(seconds=3) == [None, None, 3]
    assert watched.sampler.since_start.of["shop", Colour.BLUE].totals.requests == 10_003


async def test_our_own_requests_are_none_of_the_apps_whether_their_line_comes_before_or_after_the_counters() -> None:
    watched = Watched()
    await watched.sample()
    own = Answered("shop", Colour.BLUE, True, 200, None)
    watched.sampler.heard(own)
    await watched.sample()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=1, ok=1))
    await watched.sample()
    watched.proxy.count("shop", Colour.BLUE, Totals(requests=3, ok=3))
    watched.sampler.heard(own)
    await watched.sample()

    assert watched.requests(seconds=3) == [0, 0, 2]


async def test_a_new_app_has_gaps_before_it_was_known_and_one_that_is_gone_is_forgotten() -> None:
    watched = Watched()
    await watched.sample()
    await watched.sample()
    watched.apps = ["shop", "new"]
    watched.proxy.count("idle", Colour.BLUE, Totals(requests=1))
    await watched.sample()

    assert watched.requests("new", 2) == [None, 0]
    assert watched.requests("idle", 2) == [None, None]
    assert ("idle", Colour.BLUE) not in watched.sampler.since_start.of


def test_the_task_samples_once_a_second() -> None:
    async def story() -> None:
        watched = Watched()
        task = asyncio.create_task(watched.sampler.keep_sampling())
        await asyncio.sleep(60)
        task.cancel()

        assert None not in watched.requests(seconds=55)

    virtual_time.run(story())

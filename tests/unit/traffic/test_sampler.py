"""Counters of the proxy become requests per second; what is not known is a gap."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from datetime import timedelta
from itertools import pairwise

from orchestrator.clock import showing
from orchestrator.domain.colour import Colour
from orchestrator.domain.traffic import Container, Minute, Use
from orchestrator.proxy.request_log import Answered
from orchestrator.proxy.statistics import Totals
from orchestrator.traffic.sampler import Sampler
from orchestrator.traffic.ticks import ProbeTicks
from tests.support import virtual_time
from tests.support.fakes.clock import FakeClock
from tests.support.fakes.traffic import FakeCounting, FakeStatistics

APPS = ["shop", "idle"]


class Watched:
    """A sampler on fakes, whose seconds a test counts."""

    def __init__(self) -> None:
        self.proxy, self.minutes, self.second = FakeStatistics(), list[Minute](), 0
        self.apps = list(APPS)
        self.uses = dict[Container, Use]()
        counting = FakeCounting(self.proxy)
        self.sampler = Sampler(counting, lambda: self.apps, ProbeTicks(), lambda: self.uses, self.minutes.append)

    async def sample(self, *, after: int = 1) -> None:
        self.second += after
        await self.sampler.sample(self.second)

    def requests(self, app: str = "shop", seconds: int = 5) -> list[float | None]:
        return self.sampler.history.seconds.first_values(app, seconds)


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


def test_ten_seconds_and_a_minute_are_averages_with_the_percentiles_of_all_their_requests() -> None:
    async def story() -> None:
        watched = Watched()
        await watched.sample()
        for second in range(1, 130):
            watched.proxy.count("shop", Colour.BLUE, Totals(requests=second, ok=second, connections=2))
            watched.sampler.heard(Answered("shop", Colour.BLUE, False, 200, 1000 if second % 10 == 0 else 10))
            watched.uses[Container("shop-blue", "shop", Colour.BLUE)] = Use(0.5, 100.0)
            await watched.sample()

        tens, (first, second_minute) = watched.sampler.history.tens, watched.minutes
        point = tens.at("shop", 1)
        assert point is not None
        assert (point.requests, point.connections) == (sum(range(9, 19)) / 10, 2)
        assert point.p50 < 11 < 990 < point.p99
        assert [one.app for one in second_minute.apps] == APPS
        assert second_minute.apps[0].point.requests == sum(range(59, 119)) / 60
        assert second_minute.apps[0].containers == {Container("shop-blue", "shop", Colour.BLUE): Use(0.5, 100.0)}
        assert second_minute.at > first.at

    virtual_time.run(story())


async def test_a_clock_that_is_set_moves_no_point() -> None:
    watched, clock = Watched(), FakeClock()
    with showing(clock):
        await watched.sample()
        for _ in range(5):
            watched.proxy.count("shop", Colour.BLUE, Totals(requests=3))
            clock.go_on(timedelta(days=-40))
            await watched.sample()
        found = watched.sampler.history.points("shop", clock() - timedelta(seconds=60))

    assert [one and one.requests for one in found.points[-5:]] == [3] * 5
    assert [late - early for early, late in pairwise(found.at[-6:])] == [timedelta(seconds=1)] * 5
    assert found.at[-1] == clock()


def test_memory_stays_as_it_is_after_the_first_hours() -> None:
    async def story() -> None:
        watched = Watched()
        watched.apps = [f"app{number}" for number in range(4)]

        async def play(seconds: int) -> int:
            for _ in range(seconds):
                for app in watched.apps:
                    watched.proxy.count(app, Colour.BLUE, Totals(requests=5, ok=5))
                    watched.sampler.heard(Answered(app, Colour.BLUE, False, 200, watched.second % 5000))
                await watched.sample()
            watched.minutes.clear()
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        tracemalloc.start()
        try:
            before = await play(650)
            after = await play(650)
        finally:
            tracemalloc.stop()

        assert before < 4 * 2**20
        assert after - before < 2**20

    virtual_time.run(story())

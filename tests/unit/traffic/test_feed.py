"""Who watches is told what has changed, and nothing of a hundred idle apps."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

from orchestrator.traffic.feed import GAP, IDLE, Numbers, SampleFeed

BUSY: Numbers = (10.0, 0.0, 5.0)
BUSIER: Numbers = (20.0, 0.0, 5.0)


async def test_only_what_has_changed_is_told() -> None:
    feed = SampleFeed()
    feed.tell({"shop": BUSY}, {})
    async with aclosing(feed.follow()) as samples:
        assert (await anext(samples)).apps == {"shop": BUSY}

        for apps in ({"shop": BUSY}, {"shop": BUSIER}):
            feed.tell(apps, {})
        assert (await anext(samples)).apps == {"shop": BUSIER}

        feed.tell({}, {"shop": "+"})
        found = await anext(samples)
        assert (found.apps, found.ticks) == ({"shop": IDLE}, {"shop": "+"})


async def test_idle_apps_wake_nobody() -> None:
    feed = SampleFeed()
    async with aclosing(feed.follow()) as samples:
        await anext(samples)
        upcoming = asyncio.ensure_future(anext(samples))
        for _ in range(100):
            feed.tell({}, {})
            await asyncio.sleep(0)

        assert not upcoming.done()
        upcoming.cancel()
        await asyncio.wait([upcoming])


async def test_one_who_is_slow_gets_many_seconds_as_one() -> None:
    feed = SampleFeed()
    async with aclosing(feed.follow()) as samples:
        await anext(samples)
        for number in range(10_000):
            feed.tell({"shop": (float(number), None, None)}, {"shop": "+"})
        found = await anext(samples)

    assert found.apps == {"shop": (9999.0, None, None)}
    assert found.ticks == {"shop": "+" * 50}


async def test_a_gap_is_told_once_and_ends_with_numbers() -> None:
    feed = SampleFeed()
    async with aclosing(feed.follow()) as samples:
        await anext(samples)
        feed.tell({"shop": GAP, "idle": GAP}, {})
        assert (await anext(samples)).apps == {"shop": GAP, "idle": GAP}
        feed.tell({"shop": BUSY}, {})
        assert (await anext(samples)).apps == {"shop": BUSY, "idle": IDLE}

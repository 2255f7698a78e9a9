"""Minutes in the journal: seven days of them, without those that say nothing new."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, datetime, timedelta

from orchestrator.domain.colour import Colour
from orchestrator.domain.traffic import AppMinute, Container, Minute, Point, Use
from orchestrator.traffic.columns import by_minute
from orchestrator.traffic.minute_log import MinuteLog
from tests.support import virtual_time
from tests.support.fakes.journal import UnreliableJournal

START = datetime(2026, 11, 28, 8, tzinfo=UTC)
BLUE = Container("shop-blue", "shop", Colour.BLUE)
BUSY = Point(requests=10.0, ok=9.5, server_errors=0.5, p50=3.0, p90=4.0, p99=20.0)


def minute(number: int, point: Point = BUSY, *, memory: float = 100.0, app: str = "shop") -> Minute:
    return Minute(START + timedelta(minutes=number), (AppMinute(app, point, {BLUE: Use(0.1, memory)}),))


def test_what_was_recorded_is_read_and_what_was_not_is_a_gap(journal: UnreliableJournal) -> None:
    journal.add_minutes([minute(1), Minute(START + timedelta(minutes=2), ()), minute(4, Point(requests=2.0))])

    found = by_minute(journal.minutes_of("shop", START, START + timedelta(hours=1)))

    assert [None if one is None else one.requests for one in found.points] == [10.0, 0.0, None, 2.0]
    assert found.points[0] == BUSY
    assert found.points[3] is not None
    assert math.isnan(found.points[3].p99)
    assert found.containers == {BLUE: [Use(0.1, 100.0), Use(0.1, 100.0), None, Use(0.1, 100.0)]}
    assert found.at[-1] == START + timedelta(minutes=4)
    assert by_minute(journal.minutes_of("other", START, START + timedelta(hours=1))).points == [
        Point(),
        Point(),
        None,
        Point(),
    ]


def test_a_minute_is_kept_for_seven_days_and_one_is_written_over_when_a_clock_was_set_back(
    journal: UnreliableJournal,
) -> None:
    journal.add_minutes([minute(0), minute(1)])
    journal.add_minutes([minute(1, Point(requests=5.0))])
    journal.add_minutes([minute(7 * 24 * 60)])

    found = journal.minutes_of("shop", START - timedelta(days=1), START + timedelta(days=8))

    assert [one.at for one in found] == [START + timedelta(minutes=1), START + timedelta(days=7)]
    assert found[0].apps[0].point.requests == 5.0


def test_idle_apps_whose_containers_use_the_same_have_no_rows(journal: UnreliableJournal) -> None:
    async def story() -> None:
        minutes = MinuteLog(journal)
        task = asyncio.create_task(minutes.keep_recording())
        for number, memory in enumerate([100.0, 101.0, 110.0, 110.0]):
            minutes.add(minute(number, Point(), memory=memory))
        await asyncio.sleep(1)
        task.cancel()

    virtual_time.run(story())
    found = journal.minutes_of("shop", START - timedelta(minutes=1), START + timedelta(hours=1))

    assert [len(one.apps) for one in found] == [1, 0, 1, 0]


def test_a_journal_that_is_away_gets_the_minutes_when_it_is_back(journal: UnreliableJournal) -> None:
    async def story() -> None:
        minutes = MinuteLog(journal)
        task = asyncio.create_task(minutes.keep_recording())
        journal.is_away = True
        for number in range(100):
            minutes.add(minute(number))
            await asyncio.sleep(60)
        journal.is_away = False
        await asyncio.sleep(60)
        assert not task.done()
        task.cancel()

    virtual_time.run(story())
    found = journal.minutes_of("shop", START - timedelta(minutes=1), START + timedelta(hours=3))

    assert [one.at for one in found] == [START + timedelta(minutes=number) for number in range(40, 100)]

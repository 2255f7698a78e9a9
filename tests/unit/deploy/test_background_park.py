"""Standbys of many apps are parked a few at a time, and each of them in the end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from orchestrator.apps.context import AppContext
from orchestrator.deploy.background_park import AGAIN_S, LATER_S, MOST_AT_ONCE, Parking
from orchestrator.deploy.lane import Lane
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.domain.colour import Colour
from orchestrator.errors import JournalError
from tests.support import virtual_time

APPS = [f"app{number}" for number in range(20)]


class Lanes:
    """A scheduler, as far as parking uses it: it counts the lanes in which something is under way."""

    def __init__(self) -> None:
        self.of = {app: Lane() for app in APPS}

    def lane_of(self, app: str) -> Lane:
        return self.of[app]

    @property
    def busy(self) -> int:
        return sum(1 for lane in self.of.values() if lane.is_retiring)


def test_after_a_restart_of_the_host_a_few_standbys_are_started_at_once_and_then_the_others() -> None:
    """Every one of them was stopped by it."""
    lanes, tended = Lanes(), set[str]()

    async def story() -> None:
        def look(app: str) -> None:
            parking.begin(cast(AppContext, SimpleNamespace(name=app, active=None, standby=None)))
            if lanes.of[app].is_retiring:
                tended.add(app)

        parking = Parking(cast(Scheduler, lanes), look)
        for app in APPS:
            look(app)
        assert lanes.busy == MOST_AT_ONCE
        for _ in range(len(APPS)):
            await asyncio.sleep(LATER_S)
            assert lanes.busy <= MOST_AT_ONCE

    virtual_time.run(story())
    assert tended == set(APPS)


def test_an_app_whose_journal_is_away_is_looked_at_again() -> None:
    """The task died unseen, and the standby went on working."""

    class Away:
        name = APPS[0]

        @property
        def active(self) -> None:
            raise JournalError("The journal does not answer.", "Start its database.")

    lanes, looked_at = Lanes(), list[str]()

    async def story() -> None:
        Parking(cast(Scheduler, lanes), looked_at.append).begin(cast(AppContext, Away()))
        await asyncio.sleep(2 * AGAIN_S)

    virtual_time.run(story())
    assert looked_at == [APPS[0]]


@pytest.mark.parametrize("steps", range(3))
def test_an_app_whose_parking_is_cancelled_at_any_moment_is_looked_at_again(steps: int) -> None:
    """A rollback that came before the task's first step, and was refused then, left a standby that went on working."""
    lanes, looked_at = Lanes(), list[str]()

    class Waiting:
        name = APPS[0]
        config = SimpleNamespace(drain=SimpleNamespace(signal="", timeout=LATER_S))
        proxy = SimpleNamespace(sessions=lambda _app, _colour, **_more: asyncio.sleep(1.0, 1))
        active = standby = SimpleNamespace(colour=Colour.BLUE, container="")

    async def story() -> None:
        Parking(cast(Scheduler, lanes), looked_at.append).begin(cast(AppContext, Waiting()))
        for _ in range(steps):
            await asyncio.sleep(0)
        parking = lanes.of[APPS[0]].retiring
        assert parking is not None
        parking.cancel()
        await asyncio.sleep(2 * LATER_S)

    virtual_time.run(story())
    assert looked_at == [APPS[0]]

"""A standby that crashed is known as such as long as it is the standby: who asks for a rollback is warned."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from orchestrator.clock import showing
from orchestrator.deploy.crashed_standby import Crash, CrashedStandbys, warning
from orchestrator.domain.deployment import State
from orchestrator.domain.events import EventKind, NewEvent
from orchestrator.engine.base import ContainerEvent, Role
from orchestrator.errors import JournalError
from tests.support import virtual_time
from tests.support.fakes.stories import a_crash_loop, app, live
from tests.support.fakes.world import APP, World
from tests.unit.deploy.test_failover import active, crash, standby, watched
from tests.unit.deploy.test_standby_that_answered import crash_again_and_again

LOOP_IS_OVER_S = 3600
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, app())


def known_by(world: World) -> CrashedStandbys:
    known = CrashedStandbys()
    world.events.add(known)
    return known


def says(crash: Crash | None) -> str:
    return crash.says if crash else ""


def test_a_release_that_crashes_and_is_rolled_back_is_a_standby_with_a_warning(world: World) -> None:
    async def story() -> None:
        known, crashing = known_by(world), active(world)
        await crash_again_and_again(world)
        await world.roll_back()
        assert standby(world).id == crashing.id
        await asyncio.sleep(LOOP_IS_OVER_S)
        expected = "v2 crashed when it was live: its container ended 3 times in ten minutes."
        assert warning(standby(world), await known.of(world.context)) == expected
        assert says(await CrashedStandbys().of(world.context)) == expected, "also for a new process"

    watched(world, story)


def test_that_the_standby_crashed_is_recorded_with_the_switch_or_neither_is(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing tells it later."""
    append, refused = world.journal.append_events, list[NewEvent]()

    def takes_nothing_at_first(events: Iterable[NewEvent], with_record: Callable[[], None] | None = None) -> None:
        events = list(events)
        told = [one for one in events if one.kind is EventKind.STANDBY_CRASHED]
        if told and not refused:
            refused.extend(told)
            raise JournalError("The disk is full.", "Make room.")
        append(events, with_record)

    async def story() -> None:
        monkeypatch.setattr(world.journal, "append_events", takes_nothing_at_first)
        crashing = active(world)
        await crash_again_and_again(world)
        assert (await world.roll_back()).state is State.FAILED
        assert len(refused) == 1
        assert active(world).id == crashing.id
        assert (await world.roll_back()).state is State.LIVE
        assert standby(world).id == crashing.id
        assert "crashed when it was live" in says(await CrashedStandbys().of(world.context))

    watched(world, story)


def test_a_standby_that_crashes_itself_is_told(world: World) -> None:
    async def story() -> None:
        known = known_by(world)
        assert await known.of(world.context) is None
        for _ in range(2):
            await crash(world, standby(world).container)
        assert says(await known.of(world.context)) == "v1 crashed: its container ended 2 times in ten minutes."

    watched(world, story)


def test_the_first_release_that_crashes_is_the_standby_of_its_repair_with_a_warning(world: World) -> None:
    async def story() -> None:
        known = known_by(world)
        await live(world, "0001")
        for _ in range(2):
            world.crashes.heard(ContainerEvent("die", APP, Role.APP, active(world).container, 6))
        assert await known.of(world.context) is None, "there is no standby yet"
        await live(world)
        await asyncio.sleep(LOOP_IS_OVER_S)
        assert says(await known.of(world.context)) == (
            "v1 crashed when it was live: its container ended 2 times in ten minutes."
        )

    virtual_time.run(story())


@pytest.mark.parametrize("goes", [1, -1])
def test_a_release_that_worked_since_has_no_warning_any_more_whatever_the_clock_says(world: World, goes: int) -> None:
    hours = itertools.count(step=goes)

    async def story() -> None:
        known = known_by(world)
        await a_crash_loop(world)
        await world.roll_back()
        assert "crashed" in says(await known.of(world.context))
        await asyncio.sleep(LOOP_IS_OVER_S)
        await world.roll_back()
        assert await known.of(world.context) is None
        assert warning(standby(world), None) == "A rollback has taken the traffic from v1 before."
        await world.roll_back()
        for one in (known, CrashedStandbys()):
            assert await one.of(world.context) is None

    with showing(lambda: NOON + next(hours) * timedelta(hours=1)):
        virtual_time.run(story())

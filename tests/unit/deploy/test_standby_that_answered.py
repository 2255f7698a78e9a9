"""The standby that answered in the place of a crashing release stays the standby when that release is replaced."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.clock import elapsed
from orchestrator.domain.deployment import Deployment, State, StepName
from orchestrator.domain.events import EventKind
from orchestrator.proxy.routes import Server
from orchestrator.recovery.rebuild_journal import slots_from_what_runs
from tests.support import virtual_time
from tests.support.fakes.memory_journal import Records
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import Story, a_crash_loop, app, assert_whole, deploy, live, two_releases
from tests.support.fakes.world import APP, World
from tests.support.turns import Turns
from tests.unit.deploy.test_failover import active, answers, come_back, crash, standby, watched

IN_TURN = 8


async def the_standby_answers(world: World) -> None:
    """The live release has ended, and the release that mends that is there."""
    await two_releases(world)
    active, standby = world.context.active, world.context.standby
    assert active is not None
    assert active.colour is not None
    assert standby is not None
    await world.engine.wake(standby.container, standby.address)
    await world.engine.stop(active.container, 1)
    await world.proxy.fail_over(APP, active.colour)
    world.publish()


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, app())


async def repaired(world: World, *revisions: str) -> Deployment:
    """The release that mends the crash goes live, and what it replaces is retired."""
    await live(world, *revisions)
    return active(world)


async def crash_again_and_again(world: World) -> None:
    for _ in range(3):
        await crash(world, active(world).container)
        await asyncio.sleep(1)
        await come_back(world, active(world).container)
        await asyncio.sleep(6)


def stays(world: World) -> list[tuple[str, dict[str, object]]]:
    """What was told of a standby that stays: the deployment, and the fields."""
    return [(one.deployment, one.fields) for one in world.journal.events() if one.kind == EventKind.STANDBY_STAYS]


def lines(world: World, deployment: Deployment) -> str:
    """What was said of the deployment."""
    mine = (one for one in world.journal.events() if one.deployment == deployment.id and one.kind == EventKind.LINE)
    return "\n".join(str(one.fields["line"]) for one in mine)


def test_the_standby_that_answers_stays_and_the_release_that_ended_is_retired(world: World) -> None:
    async def story() -> None:
        carried, crashing = standby(world), active(world)
        await crash(world, crashing.container)
        await asyncio.sleep(0.5)
        assert answers(world) == carried.container
        mended = await repaired(world)
        assert answers(world) == mended.container
        assert (standby(world).id, standby(world).version) == (carried.id, "v1")
        assert standby(world).colour is not mended.colour
        assert world.engine.app_containers() == {carried.container, mended.container}
        assert_whole(world, "repaired")
        [(deployment, fields)] = stays(world)
        assert deployment == mended.id
        assert fields == {"version": "v1", "instead_of": "v2", "cause": "the container of v2 ended once in ten minutes"}
        await asyncio.sleep(60)
        assert world.engine.running[carried.container].paused

    watched(world, story)


def test_a_rollback_after_the_repair_goes_to_what_had_answered(world: World) -> None:
    async def story() -> None:
        carried = standby(world)
        await crash_again_and_again(world)
        await repaired(world)
        await world.roll_back()
        assert answers(world) == active(world).container == carried.container
        await asyncio.sleep(60)
        assert answers(world) == carried.container

    watched(world, story)


def test_the_standby_of_before_answers_if_the_repair_crashes_too_while_the_old_release_drains(world: World) -> None:
    async def story() -> None:
        carried = standby(world)
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        world.publish()
        world.proxy.open_sessions = 1
        asked = await world.scheduler.request(APP, ref="", by="test")
        await world.until_step(asked, StepName.RETIRE)
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        assert answers(world) == carried.container
        world.proxy.open_sessions = 0
        await world.until_ended(asked.id)

    watched(world, story)


def test_a_release_in_a_crash_loop_does_not_become_the_standby_although_it_runs_at_that_moment(world: World) -> None:
    async def story() -> None:
        carried, crashing = standby(world), active(world)
        now = elapsed()
        for seconds in (50, 30, 20):  # and it has the traffic again
            world.crashes._ended.setdefault(crashing.container, []).append(now - seconds)
        assert not world.proxy.route(APP).failed_over
        await repaired(world)
        assert standby(world).id == carried.id
        [(_, fields)] = stays(world)
        assert fields["cause"] == "the container of v2 ended 3 times in ten minutes"

    watched(world, story)


def test_after_a_crash_that_is_over_the_release_that_had_the_traffic_becomes_the_standby(world: World) -> None:
    async def story() -> None:
        before = active(world)
        await crash(world, before.container)
        await asyncio.sleep(1)
        await come_back(world, before.container)
        await asyncio.sleep(60)
        await repaired(world)
        assert standby(world).id == before.id
        assert stays(world) == []

    watched(world, story)


def test_a_standby_that_crashes_as_well_does_not_stay(world: World) -> None:
    async def story() -> None:
        crashing, kept = active(world), standby(world)
        now = elapsed()
        for container in (crashing.container, kept.container):
            world.crashes._ended[container] = [now - 30, now - 20]
        await repaired(world)
        assert standby(world).id == crashing.id

    watched(world, story)


def test_a_repair_with_an_incompatible_migration_leaves_the_standby_that_answered(world: World) -> None:
    """A rollback to it needs what one to the crashing release would need."""

    async def story() -> None:
        carried = standby(world)
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        world.engine.incompatible.add("0002")
        await repaired(world, "0002")
        assert standby(world).id == carried.id
        ended = await world.roll_back()
        assert (ended.state, answers(world)) == (State.LIVE, carried.container)

    watched(world, story)


def test_a_standby_that_cannot_run_on_the_data_does_not_stay_and_that_is_said(world: World) -> None:
    async def story() -> None:
        world.engine.incompatible.add("0002")
        await repaired(world, "0002")
        crashing = active(world)
        await crash_again_and_again(world)
        mended = await repaired(world)
        assert standby(world).id == crashing.id
        assert stays(world) == []
        said = lines(world, mended)
        assert "v2 cannot run on the data as v3 left it: v3 becomes the standby, although its container ended" in said
        assert "v3 is the standby now, and crashed: its container ended 3 times in ten minutes" in said

    watched(world, story)


@pytest.mark.parametrize("is_too_slow", [False, True])
def test_what_the_standby_has_in_hand_is_drained_before_it_is_parked(world: World, is_too_slow: bool) -> None:
    """By the switch it does not answer any more; it was paused, and before that removed, under what it had in hand."""
    world.configure(drain={"timeout": 20})

    async def story() -> None:
        carried = standby(world)
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        world.publish()
        world.proxy.open_at_standby = 1
        asked = await world.scheduler.request(APP, ref="", by="test")
        await world.until_step(asked, StepName.RETIRE)
        await asyncio.sleep(15)
        assert not world.engine.running[carried.container].paused
        if not is_too_slow:
            world.proxy.open_at_standby = 0
        ended = await world.until_ended(asked.id)
        assert (ended.cut is not None) is is_too_slow
        assert world.engine.running[carried.container].paused

    watched(world, story)


def test_what_the_standby_has_in_hand_goes_on_when_a_rollback_makes_it_the_active_release(world: World) -> None:
    async def story() -> None:
        carried = standby(world)
        await crash(world, active(world).container)
        await asyncio.sleep(0.5)
        world.proxy.open_at_standby = 1
        ended = await world.roll_back()
        assert (ended.state, ended.cut) == (State.LIVE, None)
        assert (answers(world), world.proxy.open_at_standby) == (carried.container, 1)

    watched(world, story)


async def _killed(world: World, before: Story, number: int) -> None:
    """After that operation of the deployment; a new process has recovered."""
    await before(world)
    world.power.operations = []
    world.power.cut_at(number, after=True)
    with suppress(Killed):
        await deploy(world)
    if world.power.dead:
        await world.restart()
    await world.at_rest()


@pytest.mark.parametrize("before", [the_standby_answers, a_crash_loop])
def test_a_kill_at_any_operation_loses_no_standby_that_stays(tmp_path: Path, before: Story, turns: Turns) -> None:
    """Of a deployment that has begun: one that was queued only begins again when the active release is up again.

    At every one from the step verify on, with the switch; of those before, at one in eight, others in each run.
    """
    whole = World(tmp_path / "whole", app())
    virtual_time.run(_killed(whole, before, 1_000_000))
    operations = list(enumerate(whole.power.operations))
    verify = next(number for number, operation in operations if operation == "preview")
    ends = set()
    for number, operation in [*turns.of(operations[:verify], one_in=IN_TURN), *operations[verify:]]:
        world = World(tmp_path / str(number), app())
        virtual_time.run(_killed(world, before, number))
        where = f"killed after operation {number} ({operation})"
        assert_whole(world, where)
        is_queued_again = active(world).version == "v3" and number < verify
        assert standby(world).version == ("v2" if is_queued_again else "v1"), where
        ends.add((active(world).version, operation))
    assert {("v3", "switch: files"), ("v3", "switch: running proxy"), ("v2", "preview")} <= ends


def test_a_lost_journal_is_rebuilt_with_the_standby_that_stayed(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, app())
        await the_standby_answers(world)
        await deploy(world)
        await world.at_rest()
        mended, carried = active(world), standby(world)
        assert (mended.version, mended.state, carried.version) == ("v3", State.LIVE, "v1")
        assert carried.colour is not None
        assert world.proxy.route(APP).servers[carried.colour] == Server(carried.address, carried.port)
        world.records = Records()
        await world.new_process()
        assert await slots_from_what_runs(world.context)
        assert (active(world).container, standby(world).container) == (mended.container, carried.container)
        assert standby(world).colour is carried.colour

    virtual_time.run(story())

"""A rollback to a paused standby: what its switch waits for, and what becomes of it when the standby does not wake."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.apps.health import HealthBoard
from orchestrator.deploy import pipeline
from orchestrator.deploy.failover import Failover
from orchestrator.deploy.request import new_request
from orchestrator.deploy.standby import find_standby
from orchestrator.domain.deployment import Deployment, Interrupter, Kind, State, StepName
from orchestrator.engine.base import ContainerEvent, Role
from orchestrator.errors import Refused
from tests.support import virtual_time
from tests.support.fakes.stories import app, assert_whole, two_releases
from tests.support.fakes.world import APP, World

LATE_S = 1.5


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, app())


def standby(world: World) -> Deployment:
    found = world.context.standby
    assert found is not None
    return found


async def _until_switched(world: World, to: Deployment) -> None:
    while world.proxy.running[APP].address != to.address:  # noqa: ASYNC110 (there is no event)
        await asyncio.sleep(0.001)


def test_the_switch_does_not_wait_for_the_engine_to_say_that_the_container_runs(world: World) -> None:
    async def story() -> None:
        await two_releases(world)
        world.engine.unpause_answers_after_s = LATE_S
        to, began = standby(world), asyncio.get_running_loop().time()

        rollback = asyncio.create_task(world.roll_back())
        await _until_switched(world, to)

        assert asyncio.get_running_loop().time() - began < LATE_S / 2
        assert not rollback.done()
        await rollback
        assert world.context.active == world.journal.deployment(to.id)
        assert_whole(world, "after a slow engine")

    virtual_time.run(story())


@pytest.mark.parametrize("answers_at_once", [True, False])
def test_the_switch_is_recorded_while_the_standby_wakes_and_is_made_when_it_answers(
    world: World, answers_at_once: bool
) -> None:
    async def story() -> None:
        await two_releases(world)
        old, to = world.context.active, standby(world)
        assert old is not None
        awake = asyncio.get_running_loop().create_future()
        target = replace(await find_standby(world.context), awake=awake)
        asked = new_request(APP, Kind.ROLLBACK, "a person")
        record = await pipeline.begin_roll_back(world.context, asked, target)

        rollback = asyncio.create_task(
            pipeline.roll_back(world.context, world.events, record, target, lambda: Interrupter.PERSON)
        )
        await world.until_step(record, StepName.SWITCH)
        await asyncio.sleep(1)
        assert world.proxy.running[APP].address == old.address

        if answers_at_once:
            await world.engine.wake(to.container)
        awake.set_result(answers_at_once)
        assert (await rollback).state is State.LIVE
        assert world.proxy.running[APP].address == to.address
        assert not world.engine.running[to.container].paused

    virtual_time.run(story())


def test_the_standby_is_looked_at_once_before_it_is_woken(world: World) -> None:
    async def story() -> None:
        await two_releases(world)
        before, looks = world.engine.looks, []
        world.engine.on_unpause = lambda: looks.append(world.engine.looks)

        await world.roll_back()

        assert looks == [before + 1]

    virtual_time.run(story())


def test_a_standby_whose_container_is_gone_is_refused_and_leaves_no_record(world: World) -> None:
    async def story() -> None:
        await two_releases(world)
        before = world.journal.deployments(APP)
        del world.engine.running[standby(world).container]

        with pytest.raises(Refused, match="does not exist any more"):
            await world.roll_back()

        assert world.journal.deployments(APP) == before

    virtual_time.run(story())


def test_a_standby_that_somebody_has_woken_meanwhile_gets_the_traffic(world: World) -> None:
    async def story() -> None:
        await two_releases(world)
        to = standby(world)
        world.engine.on_unpause = lambda: setattr(world.engine.running[to.container], "paused", False)

        await world.roll_back()

        assert world.context.active == world.journal.deployment(to.id)
        assert_whole(world, "after it was woken by somebody else")

    virtual_time.run(story())


def test_a_standby_that_goes_away_while_it_is_woken_fails_the_rollback_and_the_active_release_serves(
    world: World,
) -> None:
    async def story() -> None:
        await two_releases(world)
        old, to = world.context.active, standby(world)
        world.engine.on_unpause = lambda: world.engine.running.pop(to.container)

        record = await world.roll_back()

        assert (record.kind, record.state) == (Kind.ROLLBACK, State.FAILED)
        assert record.failure is not None
        assert to.container in record.failure.cause
        assert record.failure.serving is not None
        assert record.failure.serving.answers
        assert old is not None
        assert world.proxy.running[APP].address == old.address

    virtual_time.run(story())


def test_nobody_looks_at_the_app_in_the_milliseconds_after_a_wake(world: World) -> None:
    """Both ask the engine and the proxy, on the same event loop that carries out the rollback."""

    async def story() -> None:
        await two_releases(world)
        crashes = world.crashes
        failover = Failover(lambda: [world.context], world.scheduler, world.events, crashes)
        health = HealthBoard(lambda: [world.context], world.events, crashes)
        keeping = [asyncio.create_task(failover.keep()), asyncio.create_task(health.keep_current())]
        await asyncio.sleep(1)
        looks, asked = world.engine.looks, world.proxy.asked
        world.engine.running[standby(world).container].paused = False
        for listener in (failover, health):
            listener.heard(ContainerEvent("unpause", APP, Role.APP, standby(world).container))

        await asyncio.sleep(0.1)
        assert (world.engine.looks, world.proxy.asked) == (looks, asked)
        await asyncio.sleep(2)
        assert world.engine.running[standby(world).container].paused, "nobody asked for it: it is parked again"
        assert world.proxy.asked > asked

        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await world.scheduler.stop()

    virtual_time.run(story())

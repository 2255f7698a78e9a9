"""What work that has ended could not remove is removed as soon as the engine is back, and nothing else is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.domain.deployment import Deployment, State, StepName
from orchestrator.errors import EngineError
from orchestrator.recovery.all_apps import LOOK_EVERY_S
from tests.support import virtual_time
from tests.support.fakes.living_world import LivingWorld
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP

AWAY_S = 300.0
"""Longer than an undo waits for the engine, at each of its attempts."""


@pytest.fixture
def world(tmp_path: Path) -> LivingWorld:
    return LivingWorld(tmp_path, app(standby="warm"))


async def fails_while_the_engine_is_away(world: LivingWorld, **rollback: bool) -> Deployment:
    """Its candidate was started, does not get ready, and cannot be removed."""
    await world.begin()
    world.configure(health={"timeout": 5, "answers": 1}, update={"rollback": {"max_rollback_attempts": 1, **rollback}})
    await live(world, "0001")
    world.publish()
    world.engine.broken.add("v2")
    asked = await world.scheduler.request(APP, ref="", by="me")
    await world.until_step(asked, StepName.VERIFY)
    world.engine.away = EngineError("Docker does not answer.", "Start it.")
    ended = await world.until_ended(asked.id)
    assert ended.state is State.FAILED
    return ended


def test_a_candidate_that_could_not_be_removed_is_removed_when_the_engine_is_back(world: LivingWorld) -> None:
    """It ran on beside the live release, and on its data, until the next deployment."""

    async def story() -> None:
        failed = await fails_while_the_engine_is_away(world)
        assert failed.container in world.engine.app_containers()
        await asyncio.sleep(AWAY_S)
        world.comes_back(type(world.engine))
        await asyncio.sleep(2 * LOOK_EVERY_S)
        assert failed.container not in world.engine.app_containers()
        await world.stop()

    virtual_time.run(story())


def test_a_candidate_that_is_kept_for_an_examination_is_stopped_and_kept(world: LivingWorld) -> None:
    async def story() -> None:
        failed = await fails_while_the_engine_is_away(world, auto_rollback_on_failure=False)
        assert world.engine.running[failed.container].running
        world.comes_back(type(world.engine))
        await asyncio.sleep(10 * LOOK_EVERY_S)
        assert not world.engine.running[failed.container].running
        await world.stop()
        await world.restart()
        await asyncio.sleep(10 * LOOK_EVERY_S)
        assert not world.engine.running[failed.container].running, "it is kept until the next deployment"
        world.publish()
        assert (await world.deploy()).state is State.LIVE
        assert failed.container not in world.engine.app_containers()
        await world.stop()

    virtual_time.run(story())


def test_what_is_under_way_is_left_alone(world: LivingWorld) -> None:
    """A candidate that takes longer to be ready than it takes until the containers are looked at."""

    async def story() -> None:
        await world.begin()
        world.configure(health={"timeout": 10 * LOOK_EVERY_S, "answers": 1})
        await live(world, "0001")
        world.publish()
        world.engine.broken.add("v2")
        asked = await world.scheduler.request(APP, ref="", by="me")
        await asyncio.sleep(5 * LOOK_EVERY_S)
        assert world.journal.deployment(asked.id).container in world.engine.app_containers()
        world.engine.broken.clear()
        assert (await world.until_ended(asked.id)).state is State.LIVE
        await asyncio.sleep(5 * LOOK_EVERY_S)
        active, standby = world.context.active, world.context.standby
        assert active is not None
        assert standby is not None
        assert world.engine.app_containers() == {active.container, standby.container}
        await world.stop()

    virtual_time.run(story())

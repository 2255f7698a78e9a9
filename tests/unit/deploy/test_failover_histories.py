"""Whatever crashes in whatever order, beside deployments and rollbacks: in the end the active release answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.apps.engine_events import EngineEvents
from orchestrator.deploy.failover import Failover
from orchestrator.errors import ChangeoverError
from tests.support import virtual_time
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP, World
from tests.unit.deploy.test_failover import active, answers, come_back, crash, standby

HISTORIES = 40
STEPS = 12
QUIET_S = 900.0

Step = Callable[[World, random.Random], Awaitable[None]]


async def crash_active(world: World, _: random.Random) -> None:
    one = active(world).container
    if world.engine.running[one].running:
        await crash(world, one)


async def active_comes_back(world: World, _: random.Random) -> None:
    one = active(world).container
    if world.engine.running[one].restarting:
        await come_back(world, one)


async def crash_standby(world: World, _: random.Random) -> None:
    kept = world.engine.running.get(standby(world).container)
    if kept and kept.running and not kept.paused:
        await crash(world, standby(world).container)


async def deploy(world: World, choices: random.Random) -> None:
    world.publish()
    asked = await world.scheduler.request(APP, ref="", by="test")
    if choices.random() < 0.5:
        await world.until_ended(asked.id)


async def roll_back(world: World, _: random.Random) -> None:
    with suppress(ChangeoverError):
        await world.scheduler.roll_back(APP, by="test")


async def engine_away(world: World, _: random.Random) -> None:
    await world.engine.goes_away()


async def wait(_: World, choices: random.Random) -> None:
    await asyncio.sleep(choices.choice([0.05, 0.5, 5.0, 60.0]))


CHOICES: tuple[Step, ...] = (
    crash_active, crash_active, active_comes_back, active_comes_back, crash_standby, deploy, roll_back, engine_away,
    wait, wait,
)  # fmt: skip


async def _bring_back_what_ended(world: World) -> None:
    """The engine restarts what has a restart policy, after a while."""
    for name, one in list(world.engine.running.items()):
        if one.restarting:
            await come_back(world, name)


@pytest.mark.parametrize("number", range(HISTORIES))
def test_after_any_history_of_crashes_the_active_release_answers_and_the_standby_does_no_work(
    tmp_path: Path, number: int
) -> None:
    world, choices, story = World(tmp_path, app()), random.Random(number), list[str]()

    async def run() -> None:
        crashes = world.crashes
        failover = Failover(lambda: [world.context], world.scheduler, world.events, crashes)
        world.events.add(failover)
        follow = EngineEvents(world.engine, [crashes, failover]).follow
        tasks = [asyncio.create_task(failover.keep()), asyncio.create_task(follow())]
        try:
            await live(world, "0001")
            await live(world)
            for _ in range(STEPS):
                step = choices.choice(CHOICES)
                story.append(step.__name__)
                await step(world, choices)
                await asyncio.sleep(choices.choice([0.0, 0.0, 0.1, 1.0]))
            await _bring_back_what_ended(world)
            await world.at_rest()
            await _bring_back_what_ended(world)
            await asyncio.sleep(QUIET_S)
            kept = world.engine.running[standby(world).container]
            assert world.engine.can_run(active(world).container), story
            assert answers(world) == active(world).container, story
            assert not world.proxy.route(APP).failed_over, story
            assert kept.paused or not kept.running, story
            assert not kept.restarting, story
            assert not kept.restarts_by_itself, story
            assert world.engine.running[active(world).container].restarts_by_itself, story
            assert world.engine.sidecars() == set(), story
        finally:
            await world.scheduler.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    virtual_time.run(run())

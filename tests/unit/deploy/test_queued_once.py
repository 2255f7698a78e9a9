"""A deployment runs once, however late who has read of it as queued asks that it is queued again.

A push came while recovery went on with what an earlier process had queued: its deployment ran, was live, and ran again.
The second run failed, and its undo removed the live container and the route.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from orchestrator.domain.deployment import Deployment, State, StepName
from orchestrator.domain.events import EventKind
from tests.support import virtual_time
from tests.support.fakes.stories import live
from tests.support.fakes.world import APP, World

Moment = Callable[[World, Deployment], Awaitable[object]]


async def _at_once(_world: World, _asked: Deployment) -> None: ...


async def _while_it_runs(world: World, asked: Deployment) -> None:
    await world.until_step(asked, StepName.BUILD)


async def _when_it_has_ended(world: World, asked: Deployment) -> None:
    await world.until_ended(asked.id)


def _begun(world: World, deployment: Deployment) -> int:
    mine = world.journal.events(deployment_id=deployment.id)
    return sum(one.kind is EventKind.STARTED for one in mine)


@pytest.mark.parametrize("when", [_at_once, _while_it_runs, _when_it_has_ended])
def test_one_that_is_queued_again_late_runs_once(world: World, when: Moment) -> None:
    async def story() -> tuple[Deployment, int]:
        await live(world, "0001")
        world.publish("0002")
        asked = await world.scheduler.request(APP, ref="", by="test")
        await when(world, asked)
        await world.scheduler.queue_again(asked)
        await world.at_rest()
        return world.journal.deployment(asked.id), _begun(world, asked)

    ended, begun = virtual_time.run(story())
    assert (ended.state, begun) == (State.LIVE, 1)
    assert world.context.active is not None
    assert world.context.active.id == ended.id
    assert world.engine.running[ended.container].running


@pytest.mark.parametrize("ticks", range(0, 120, 3))
def test_a_request_while_recovery_goes_on_runs_once(world: World, ticks: int) -> None:
    """At any moment of it: the app takes requests as soon as nothing of it is interrupted any more."""

    async def story() -> list[int]:
        await live(world, "0001")
        world.publish("0002")
        await world.new_process()
        await world.recovery.recover_all()
        asked = asyncio.ensure_future(world.scheduler.request(APP, ref="", by="push"))
        for _ in range(ticks):
            await asyncio.sleep(0)
        await world.recovery.go_on()
        await asked
        await world.at_rest()
        return [_begun(world, world.journal.deployment(one.id)) for one in world.journal.deployments(APP)]

    assert virtual_time.run(story()) == [1, 1]
    assert world.context.active is not None
    assert world.engine.running[world.context.active.container].running

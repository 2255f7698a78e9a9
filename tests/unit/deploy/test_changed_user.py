"""The data follows a changed user, and goes back to the user before when the deployment fails."""

from __future__ import annotations

import pytest

from orchestrator.domain.deployment import Deployment, State
from tests.support import virtual_time
from tests.support.fakes.stories import live
from tests.support.fakes.world import APP, World

OLD, NEW = "10001:10001", "20002:20002"
AS_ANOTHER = {"data": "/data", "user": NEW}


def test_the_new_release_can_write_the_data_and_the_standby_still_can(world: World) -> None:
    async def story() -> Deployment:
        await live(world, "0001")
        world.configure(run=AS_ANOTHER)
        await live(world)
        data = world.engine.data_of(APP)
        assert (data.owner, data.readers) == (NEW, {OLD, NEW})
        return await world.roll_back()

    assert virtual_time.run(story()).state is State.LIVE


@pytest.mark.parametrize("fails", ["broken", "up"])
def test_a_failed_deployment_gives_the_data_back_to_the_release_that_serves(world: World, fails: str) -> None:
    async def story() -> Deployment:
        await live(world, "0001")
        world.configure(run=AS_ANOTHER)
        world.publish("0002")
        (world.engine.broken if fails == "broken" else world.engine.failing).add("v2" if fails == "broken" else fails)
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert ended.failure.serving is not None
    assert ended.failure.serving.answers
    data = world.engine.data_of(APP)
    assert (data.owner, data.readers) == (OLD, {OLD})
    assert any("again those of user 10001" in said for said in ended.failure.undone)


def test_an_unchanged_user_costs_no_sidecar(world: World) -> None:
    async def story() -> list[str]:
        await live(world, "0001")
        world.power.operations = []
        await live(world)
        return world.power.operations

    assert not any("own" in one.split() for one in virtual_time.run(story()))

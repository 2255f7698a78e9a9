"""Who cancels a restore or a rollback is told what became of the data, and by what it was interrupted."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import pytest

from orchestrator.domain.deployment import Deployment, Kind, State, StepName
from orchestrator.domain.schema_history import Direction, Outcome
from tests.support import virtual_time
from tests.support.fakes.stories import ROW, assert_whole, live
from tests.support.fakes.world import APP, World

MOST_POLLS = 1000
UNTOUCHED = "The data is as it was before: nothing of the backup is in place"


async def cancelled_in(world: World, act: Coroutine[object, object, Deployment], step: StepName) -> Deployment:
    """Each sidecar takes a minute, and does nothing if it is cancelled."""
    world.engine.sidecar_s = lambda: 60.0
    acting = asyncio.create_task(act)
    for _ in range(MOST_POLLS):
        await asyncio.sleep(1)
        busy = world.journal.deployments(APP, limit=1)[0]
        if busy.has_begun(step) and not busy.ended_at:
            break
    await world.scheduler.cancel(busy.id)
    await asyncio.wait([acting])
    return await world.until_ended(busy.id)


@pytest.mark.parametrize("step", [StepName.BACKUP, StepName.MIGRATE])
def test_a_restore_that_is_cancelled_says_that_the_data_is_as_it_was(world: World, step: StepName) -> None:
    async def story() -> Deployment:
        await live(world, "0001")
        await live(world)
        backup = min(world.engine.backups[APP])
        return await cancelled_in(world, world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE), step)

    ended = virtual_time.run(story())
    assert ended.state is State.CANCELLED
    assert ended.failure is not None
    assert UNTOUCHED in ended.failure.undone
    assert ROW in world.engine.data_of(APP).rows
    assert_whole(world, f"cancelled in {step}")


def test_a_rollback_that_is_cancelled_while_it_reverts_is_listed_so(world: World) -> None:
    async def story() -> Deployment:
        await live(world, "0001")
        world.engine.incompatible.add("0002")
        await live(world, "0002")
        return await cancelled_in(world, world.scheduler.roll_back(APP, by="test"), StepName.MIGRATE)

    ended = virtual_time.run(story())
    down = [run for run in world.journal.migrations(APP) if run.direction is Direction.DOWN][-1]
    assert ended.state is State.CANCELLED
    assert (down.outcome, down.note) == (Outcome.FAILED, "cancelled")
    assert_whole(world, "cancelled while it reverted")

"""A rollback and a restore are work like any other: shown with who asked for it, and cancellable while that is safe."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.errors import Refused
from tests.support import virtual_time
from tests.support.fakes.stories import ROW, app, assert_whole, live
from tests.support.fakes.world import APP, World


async def begun(world: World, kind: Kind) -> Deployment:
    """What is under way, a moment after it was asked for. The container that it waits for does not answer."""
    await live(world, "0001")
    world.engine.incompatible.add("0002")
    await live(world, "0002")
    active = world.context.active
    assert active is not None
    world.engine.broken |= {"v1", "v2"}
    if kind is Kind.ROLLBACK:
        asked = asyncio.create_task(world.scheduler.roll_back(APP, by="ann"))
    else:
        asked = asyncio.create_task(world.scheduler.restore(APP, active.backup, by="ann", kind=kind))
    await asyncio.sleep(2)
    assert not asked.done()
    holder = world.scheduler.busy_with(APP)
    assert holder is not None
    return holder


@pytest.mark.parametrize("kind", [Kind.ROLLBACK, Kind.RESTORE])
def test_it_is_shown_with_its_holder_and_ends_as_cancelled_with_everything_as_it_was(
    tmp_path: Path, kind: Kind
) -> None:
    config = app().model_dump(exclude_defaults=True) | {"health": {"answers": 1, "timeout": 60}}
    world = World(tmp_path, App.model_validate(config))

    async def story() -> Deployment:
        holder = await begun(world, kind)
        assert (holder.kind, holder.state, holder.requested_by) == (kind, State.RUNNING, "ann")
        assert world.journal.deployment(holder.id).steps, "its steps are on record"
        with pytest.raises(Refused, match=rf"{holder.id} .* by ann"):
            await world.scheduler.roll_back(APP, by="bob")
        world.engine.broken.clear()
        await world.scheduler.cancel(holder.id)
        ended = await world.until_ended(holder.id)
        await world.at_rest()
        return ended

    ended = virtual_time.run(story())
    assert ended.state is State.CANCELLED, ended.failure
    assert world.scheduler.busy_with(APP) is None
    active = world.context.active
    assert active is not None
    assert active.version == "v2"
    assert ROW in world.engine.data_of(APP).rows
    assert_whole(world, f"{kind} cancelled")


def test_a_restore_waits_for_the_end_of_a_try_to_bring_the_app_back(tmp_path: Path) -> None:
    """The cause of a failed recovery says to restore a backup, and recovery is tried again every few seconds."""
    world = World(tmp_path, app())

    async def story() -> None:
        await live(world, "0001")
        await live(world, "0002")
        active = world.context.active
        assert active is not None
        await world.at_rest()
        async with world.scheduler.turn_of(APP):
            asked = asyncio.create_task(world.scheduler.restore(APP, active.backup, by="ann", kind=Kind.RESTORE))
            await asyncio.sleep(3)
            assert not asked.done()
        assert (await asked).state is State.LIVE

        async with world.scheduler.turn_of(APP):
            with pytest.raises(Refused, match="restored or recovered"):
                await world.scheduler.restore(APP, active.backup, by="ann", kind=Kind.RESTORE)

    virtual_time.run(story())

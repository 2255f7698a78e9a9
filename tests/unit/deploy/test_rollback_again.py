"""A rollback that failed leaves everything such that the next one succeeds; also one that goes forward again."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.deployment import Deployment, Kind, State
from tests.support import virtual_time
from tests.support.fakes.stories import ROW, app, assert_whole, live
from tests.support.fakes.world import APP, World

LATER_ROW = "an order after the restore"


async def across(world: World) -> Deployment:
    """The second release is live, on a schema that the first one cannot run on."""
    await live(world, "0001")
    world.engine.incompatible.add("0002")
    await live(world, "0002")
    active = world.context.active
    assert active is not None
    return active


def version(world: World) -> str:
    active = world.context.active
    assert active is not None
    return active.version


def test_a_rollback_that_failed_is_done_later(tmp_path: Path) -> None:
    """Its undo migrates again, with the release that stays: the way down is that one's, too."""
    world = World(tmp_path, app())

    async def story() -> tuple[Deployment, Deployment]:
        await across(world)
        world.engine.broken.add("v1")
        failed = await world.roll_back()
        assert_whole(world, "not rolled back")
        world.engine.broken.clear()
        return failed, await world.roll_back()

    failed, done = virtual_time.run(story())
    assert failed.state is State.FAILED
    assert done.state is State.LIVE, done.failure
    assert world.engine.data_of(APP).schema == ["0001"]
    assert_whole(world, "rolled back")


@pytest.mark.parametrize("down", [False, True], ids=["without a way down", "with a way down"])
def test_a_rollback_to_a_newer_release_that_fails_puts_the_data_back(tmp_path: Path, down: bool) -> None:
    """After a rollback with a backup, which is the only one that an app without migrate.down has."""
    world = World(tmp_path, app(down=down))

    async def story() -> Deployment:
        newer = await across(world)
        back = await world.scheduler.restore(APP, newer.backup, by="test", kind=Kind.ROLLBACK)
        assert (await world.until_ended(back.id)).state is State.LIVE
        world.engine.data_of(APP).rows |= {ROW, LATER_ROW}
        world.engine.broken.add("v2")
        return await world.roll_back()

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert version(world) == "v1"
    assert world.engine.data_of(APP).schema == ["0001"]
    assert {ROW, LATER_ROW} <= world.engine.data_of(APP).rows
    assert world.journal.unsettled(APP) is None
    assert_whole(world, "not rolled back")


def test_the_way_down_of_what_a_rollback_applied_is_that_of_its_release(tmp_path: Path) -> None:
    """A later release that failed had applied it before, and its image is gone."""
    world = World(tmp_path, app())

    async def story() -> Deployment:
        await across(world)
        await world.roll_back()
        world.publish("0003")
        world.engine.half_way.add("0003")
        failed = await world.deploy()
        assert failed.state is State.FAILED
        world.engine.tags = {tag for tag in world.engine.tags if failed.id not in tag}
        world.engine.broken.add("v2")
        return await world.roll_back()

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert (version(world), world.engine.data_of(APP).schema) == ("v1", ["0001"])
    assert_whole(world, "not rolled back")

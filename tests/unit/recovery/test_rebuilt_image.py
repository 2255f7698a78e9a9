"""The image of a live release that was removed is built again from its source, or the app says what to do."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.domain.deployment import State
from tests.support import virtual_time
from tests.support.fakes.stories import ROW, live
from tests.support.fakes.world import APP, World


async def lose_containers_and_images(world: World) -> None:
    """As by `docker container prune` and `docker image prune --all`, after `docker compose down` with stopped apps."""
    for name in list(world.engine.running):
        await world.engine.remove(name)
    world.engine.tags.clear()


def assert_answers(world: World) -> None:
    active = world.context.active
    assert active is not None
    assert world.engine.can_run(active.container)
    assert world.recovery.problem(APP) == ""


@pytest.mark.parametrize("rolled_back", [False, True])
def test_at_a_start_the_release_is_built_again_from_its_own_revision(world: World, rolled_back: bool) -> None:
    async def story() -> str:
        await live(world, "0001")
        await live(world)
        if rolled_back:
            assert (await world.roll_back()).state is State.LIVE
        before = world.context.active
        assert before is not None
        assert before.release is not None
        world.publish("0002")
        await lose_containers_and_images(world)
        await world.restart()
        assert world.context.active is not None
        assert world.context.active.release is not None
        assert world.context.active.release.source_revision == before.release.source_revision
        return before.release.source_revision

    revision = virtual_time.run(story())
    assert_answers(world)
    assert ROW in world.engine.data_of(APP).rows
    assert world.engine.data_of(APP).schema == ["0001"]
    assert any(tag.startswith(f"test/shop:{revision}-") for tag in world.engine.tags)
    assert not (world.folder / "work").exists() or not any((world.folder / "work").iterdir())


def test_later_it_is_built_again_as_well_and_a_source_that_is_away_is_not_needed(world: World) -> None:
    async def story() -> None:
        await live(world, "0001")
        await world.restart()
        await lose_containers_and_images(world)
        world.source.is_away = True
        keeping = asyncio.create_task(world.recovery.keep_looking())
        active = world.context.active
        assert active is not None
        for _ in range(10_000):  # the clock jumps while a thread works
            if world.engine.can_run(active.container) and not world.recovery.problem(APP):
                break
            await asyncio.sleep(0.1)
        keeping.cancel()

    virtual_time.run(story())
    assert_answers(world)


def test_what_cannot_be_built_says_what_to_do_and_comes_back_when_the_cause_is_gone(world: World) -> None:
    async def story() -> str:
        await live(world, "0001")
        await lose_containers_and_images(world)
        world.engine.failing.add("build")
        await world.new_process()
        await world.recovery.recover_all()
        await world.recovery.go_on()
        for _ in range(10_000):  # the clock jumps while a thread works
            if "being recovered" not in (problem := world.recovery.problem(APP)):
                break
            await asyncio.sleep(0.1)
        world.engine.mend()
        await world.recover_the_rest()
        return problem

    problem = virtual_time.run(story())
    assert "The image of v1 was removed" in problem
    assert "cannot be built again from source revision r1: The build failed." in problem
    assert "changeover deploy shop --ref REVISION" in problem
    assert_answers(world)


def test_an_app_that_is_built_again_for_an_hour_keeps_no_start_waiting(world: World) -> None:
    async def story() -> None:
        await live(world, "0001")
        await lose_containers_and_images(world)
        world.engine.build_s = 1000.0
        await world.new_process()
        await world.recovery.recover_all()
        assert "it is being recovered" in world.recovery.problem(APP)
        await world.recovery.go_on()
        await world.recover_the_rest()

    virtual_time.run(story())
    assert_answers(world)

"""Images of releases that failed: the newest one is kept, so that the next attempt is fast, and the others go."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment, State, StepName
from orchestrator.domain.events import EventKind
from orchestrator.domain.unsettled import Unsettled
from orchestrator.errors import EngineError
from tests.support import virtual_time
from tests.support.fakes.stories import assert_whole
from tests.support.fakes.world import APP, World


def tag(deployment: Deployment) -> str:
    assert deployment.release is not None
    return deployment.release.image.removeprefix("sha256:")


async def live(world: World) -> Deployment:
    world.publish()
    ended = await world.deploy()
    assert ended.state is State.LIVE, ended.failure
    return ended


async def fails(world: World) -> Deployment:
    world.publish()
    world.engine.broken.add(world.source.newest_version)
    ended = await world.deploy()
    assert ended.state is State.FAILED
    assert tag(ended)
    return ended


async def is_cancelled(world: World) -> Deployment:
    world.publish()
    world.engine.sidecar_s = lambda: 5.0
    asked = await world.scheduler.request(APP, ref="", by="test")
    await world.until_step(asked, StepName.BACKUP)
    await world.scheduler.cancel(asked.id)
    world.engine.sidecar_s = lambda: 0.0
    ended = await world.until_ended(asked.id)
    assert ended.state is State.CANCELLED
    return ended


async def tidied(world: World) -> None:
    """Until what follows a deployment has ended."""
    if task := world.scheduler.lane_of(APP).retiring:
        await asyncio.wait([task])


def test_of_releases_that_fail_one_after_the_other_the_image_of_the_last_one_is_kept(world: World) -> None:
    async def story() -> None:
        kept = await live(world)
        for attempt in (fails, is_cancelled, fails, is_cancelled):
            newest = await attempt(world)
            await tidied(world)
            assert world.engine.tags == {tag(kept), tag(newest)}
        newest = await live(world)
        await tidied(world)
        assert world.engine.tags == {tag(kept), tag(newest)}

    virtual_time.run(story())


def test_of_first_releases_that_fail_the_image_of_the_last_one_is_kept(world: World) -> None:
    async def story() -> None:
        world.configure(update={"backup": {"create_before_update": False}})
        for _ in range(3):
            newest = await fails(world)
            await tidied(world)
        assert world.engine.tags == {tag(newest)}

    virtual_time.run(story())


def test_a_deployment_of_what_is_live_already_leaves_the_image_of_the_last_failure(world: World) -> None:
    async def story() -> None:
        kept = await live(world)
        failed = await fails(world)
        await tidied(world)
        assert kept.release is not None
        assert (await world.deploy(kept.release.source_revision)).state is State.UNCHANGED
        await tidied(world)
        assert world.engine.tags == {tag(kept), tag(failed)}

    virtual_time.run(story())


def test_while_a_migration_that_failed_stands_in_the_data_its_image_is_kept(world: World) -> None:
    """Its down command may be the way back."""

    async def story() -> None:
        await live(world)
        brought = await fails(world)
        world.journal.leave(APP, Unsettled(brought.id, now(), "0002 stands in the data.", "Restore.", ""))
        await fails(world)
        await tidied(world)
        assert tag(brought) in world.engine.tags

    virtual_time.run(story())


@pytest.mark.parametrize("error", [EngineError("The engine is away."), ValueError("a defect")])
def test_images_that_cannot_be_removed_change_nothing_of_what_is_told(world: World, error: Exception) -> None:
    async def refuses(name: str) -> set[str]:
        raise error

    async def story() -> None:
        kept = await live(world)
        first = await fails(world)
        await tidied(world)
        world.engine.tagged_images = refuses  # type: ignore[method-assign]
        told = await fails(world)
        await tidied(world)
        assert world.journal.deployment(told.id) == told
        assert told.failure is not None
        assert told.failure.step is StepName.VERIFY
        assert [one.kind for one in world.journal.events() if one.deployment == told.id][-1] == EventKind.FAILED
        del world.engine.tagged_images
        last = await fails(world)
        await tidied(world)
        assert world.engine.tags == {tag(kept), tag(last)}
        assert tag(first) not in world.engine.tags

    virtual_time.run(story())


def test_a_rollback_right_after_a_failure_does_not_wait_for_images_and_is_not_refused(world: World) -> None:
    async def story() -> None:
        first = await live(world)
        await live(world)
        images = slow_images(world)
        await fails(world)
        assert world.scheduler.doing(APP) == "images of earlier deployments are being removed"
        assert (await world.roll_back()).version == first.version
        assert images[:2] == ["asked", "cancelled"]

    virtual_time.run(story())


def test_a_kill_or_stop_while_images_are_removed_leaves_what_was_told_and_they_go_after_the_next_failure(
    world: World,
) -> None:
    async def story() -> None:
        kept = await live(world)
        await fails(world)
        await tidied(world)
        for stops in (False, True):
            images = slow_images(world)
            told = await fails(world)
            if stops:
                await world.scheduler.stop()
            await world.restart()
            assert images == ["asked", "cancelled"]
            assert_whole(world, "ended while images were removed")
            assert world.journal.deployment(told.id) == told
            del world.engine.tagged_images
            last = await fails(world)
            await tidied(world)
            assert world.engine.tags == {tag(kept), tag(last)}

    virtual_time.run(story())


def slow_images(world: World) -> list[str]:
    """From now on the engine does not say for a long time which images it has. Returns what becomes of the question."""
    told: list[str] = []

    async def slowly(name: str) -> set[str]:
        told.append("asked")
        try:
            await asyncio.sleep(1000)
        except asyncio.CancelledError:
            told.append("cancelled")
            raise
        return set()

    world.engine.tagged_images = slowly  # type: ignore[method-assign]
    return told

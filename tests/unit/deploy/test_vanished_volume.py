"""A data volume that does not exist any more is not replaced by an empty one in silence."""

from __future__ import annotations

import itertools
from contextlib import suppress

import pytest

from orchestrator.app_data import migrations
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.schema_history import Direction, Outcome
from orchestrator.errors import VolumeGone
from tests.support import virtual_time
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import ROW, live
from tests.support.fakes.world import APP, World


async def lose_everything(world: World) -> None:
    """What `docker system prune --volumes` does while the app's containers are stopped."""
    for name in list(world.engine.running):
        await world.engine.remove(name)
    world.engine.named_volumes.discard(world.context.volume)
    world.engine.data.pop(APP, None)


async def two_releases_and_a_backup(world: World) -> str:
    await live(world, "0001")
    await live(world)
    return max(world.engine.backups[APP])


def test_the_app_stays_down_and_says_which_restore_to_run(world: World) -> None:
    async def story() -> tuple[str, str]:
        backup = await two_releases_and_a_backup(world)
        await lose_everything(world)
        await world.new_process()
        await world.recovery.recover_all()
        return backup, world.recovery.problem(APP)

    backup, problem = virtual_time.run(story())
    assert "does not exist any more" in problem
    assert f"changeover backup restore shop {backup}" in problem
    assert world.context.volume not in world.engine.named_volumes
    assert world.engine.app_containers() == set()


def test_the_restore_brings_data_and_app_back(world: World) -> None:
    async def story() -> Deployment:
        backup = await two_releases_and_a_backup(world)
        await lose_everything(world)
        await world.new_process()
        await world.recovery.recover_all()
        await world.recovery.go_on()
        record = await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE)
        ended = await world.until_ended(record.id)
        await world.recover_the_rest()
        return ended

    ended = virtual_time.run(story())
    assert ended.state is State.LIVE, ended.failure
    assert ROW in world.engine.data_of(APP).rows
    active = world.context.active
    assert active is not None
    assert world.engine.can_run(active.container)
    assert world.recovery.problem(APP) == ""


def test_a_restore_that_is_killed_anywhere_is_told_truly(world: World) -> None:
    """Without data before it there is nothing to take it back to: what is in place stays, and is not called undone."""

    async def story(number: int) -> tuple[bool, list[str], int]:
        one = World(world.folder / str(number), world.config)
        backup = await two_releases_and_a_backup(one)
        await lose_everything(one)
        await one.new_process()
        await one.recovery.recover_all()
        await one.recovery.go_on()
        one.power.cut_at(number, after=True)
        with suppress(Killed):
            record = await one.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE)
            await one.until_ended(record.id)
        if not one.power.dead:
            return False, [], 0
        await one.new_process()
        await one.recovery.recover_all()
        await one.recovery.go_on()
        runs = [run for run in one.journal.migrations(APP) if run.direction is Direction.RESTORED]
        done = [f"{run.deployment}-{run.id}" for run in runs if run.outcome is Outcome.DONE]
        assert done == one.engine.restores, f"killed after operation {number}"
        restore = one.journal.deployments(APP)[0]
        if done and restore.failure:
            assert any("stays in place: there was none before" in said for said in restore.failure.undone)
        return True, done, number

    told = list(itertools.takewhile(lambda one: one[0], (virtual_time.run(story(n)) for n in range(200))))
    assert any(done for _, done, _ in told)
    assert any(not done for _, done, _ in told)


def test_an_empty_volume_that_a_person_made_is_used(world: World) -> None:
    async def story() -> str:
        await two_releases_and_a_backup(world)
        await lose_everything(world)
        await world.engine.ensure_volume(world.context.volume)
        world.engine.data_of(APP).schema = ["0001"]
        await world.new_process()
        await world.recovery.recover_all()
        return world.recovery.problem(APP)

    assert virtual_time.run(story()) == ""


def test_a_deployment_fails_instead_of_beginning_with_empty_data(world: World) -> None:
    async def story() -> Deployment:
        await two_releases_and_a_backup(world)
        await lose_everything(world)
        world.publish()
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert "does not exist any more" in ended.failure.cause
    assert world.context.volume not in world.engine.named_volumes


def test_the_first_deployment_and_one_that_begins_to_have_data_make_the_volume(world: World) -> None:
    async def story() -> None:
        world.configure(run={}, migrate=None)
        world.publish()
        assert (await world.deploy()).state is State.LIVE
        world.configure(run={"data": "/data"})
        assert (await world.deploy()).state is State.LIVE

    virtual_time.run(story())
    assert world.context.volume in world.engine.named_volumes


def test_a_sidecar_on_the_data_makes_no_volume_either(world: World) -> None:
    async def story() -> None:
        await two_releases_and_a_backup(world)
        await lose_everything(world)
        active = world.context.active
        assert active is not None
        with pytest.raises(VolumeGone):
            await migrations.pending(world.context, active)

    virtual_time.run(story())
    assert world.context.volume not in world.engine.named_volumes

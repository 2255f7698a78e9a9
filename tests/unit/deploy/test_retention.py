"""What is kept of earlier releases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.app_data import backups
from orchestrator.backup_sidecar import reason
from orchestrator.domain.deployment import Deployment, State
from tests.support import virtual_time
from tests.support.fakes.world import APP, World


async def live(world: World, *, force: bool = False) -> Deployment:
    ended = await world.deploy(force=force)
    assert ended.state is State.LIVE, ended.failure
    return ended


def keep_one_image(world: World) -> None:
    world.context = replace(world.context, limits=replace(world.context.limits, keep_images=1))


def test_a_backup_names_its_release_and_keeps_the_image_of_it(world: World) -> None:
    async def story() -> None:
        keep_one_image(world)
        for _ in range(6):
            world.publish()
            await live(world)

    virtual_time.run(story())
    made = [manifest for manifest, _ in world.engine.backups[APP].values()]
    assert [one.version for one in made] == [f"v{number}" for number in range(1, 6)]
    assert {one.image.removeprefix("sha256:") for one in made} <= world.engine.tags


def test_the_backups_are_listed_only_if_an_image_is_left_that_nothing_else_keeps(world: World) -> None:
    async def story() -> list[int]:
        world.context = replace(world.context, limits=replace(world.context.limits, keep_images=3))
        lists = []
        for _ in range(5):
            world.publish()
            await live(world)
            lists.append(world.engine.lists_of_backups)
        return lists

    assert virtual_time.run(story()) == [0, 0, 0, 1, 2]


def test_failed_releases_and_rollbacks_push_out_no_image_of_a_release_that_was_live(world: World) -> None:
    async def story() -> Deployment:
        world.configure(update={"rollback": {"max_rollback_attempts": 1}, "backup": {"create_before_update": False}})
        world.context = replace(world.context, limits=replace(world.context.limits, keep_images=3))
        world.publish()
        first = await live(world)
        for _ in range(2):
            world.publish()
            await live(world)
        for _ in range(5):
            await world.roll_back()
        for number in range(4, 8):
            world.publish()
            world.engine.broken.add(f"v{number}")
            assert (await world.deploy()).state is State.FAILED
        await world.roll_back()
        return first

    first = virtual_time.run(story())
    assert first.release is not None
    assert first.release.image.removeprefix("sha256:") in world.engine.tags


def test_a_backup_before_a_failed_deployment_is_told_to_be_spare(world: World) -> None:
    async def story() -> Deployment:
        world.publish("0001")
        await live(world)
        world.publish()
        world.engine.broken.add("v2")
        failed = await world.deploy()
        world.publish()
        await live(world)
        return failed

    failed = virtual_time.run(story())
    assert failed.backup
    assert world.engine.spare[APP] == [failed.backup, failed.id]


def test_deployments_that_fail_in_the_step_of_their_backup_push_out_no_earlier_backup(world: World) -> None:
    """As with a status command that does not work in the new release: the backup was made and not recorded."""

    async def story() -> tuple[str, list[Deployment]]:
        world.configure(migrate={"command": "up", "status": "status"})
        world.publish("0001")
        await live(world)
        world.publish()
        good = (await live(world)).backup
        world.engine.failing.add("status")
        failed = []
        for _ in range(7):
            world.publish()
            failed.append(await world.deploy())
        return good, failed

    good, failed = virtual_time.run(story())
    assert all(one.state is State.FAILED and one.backup for one in failed)
    assert good in world.engine.backups[APP]
    assert len(world.engine.backups[APP]) <= 3


@pytest.mark.parametrize("compatible", [True, False])
def test_deployments_that_fail_after_a_migrate_command_without_status_push_out_no_earlier_backup(
    world: World, *, compatible: bool
) -> None:
    """The command runs at each of them, and what it did is not known: the backup made by hand was pushed out."""

    async def story() -> tuple[str, str, list[Deployment]]:
        world.configure(migrate={"command": "up", "compatible": compatible}, update={"backup": {"keep_backups": 7}})
        world.publish("0001")
        await live(world)
        world.publish()
        good = (await live(world)).backup
        active = world.context.active
        assert active
        async with world.context.data_turn:
            by_hand = (await backups.create(world.context, active, reason.by_hand("ann"))).id
        world.publish()
        last = (await live(world)).backup
        failed = []
        for number in range(4, 12):
            world.publish()
            world.engine.broken.add(f"v{number}")
            failed.append(await world.deploy())
        return by_hand, last, [*failed, replace(failed[0], backup=good)]

    by_hand, last, deployments = virtual_time.run(story())
    *failed, before = deployments
    kept = world.engine.backups[APP]
    assert all(one.state is State.FAILED and one.backup for one in failed)
    assert {by_hand, last, before.backup, failed[0].backup, failed[-1].backup} <= kept.keys()
    assert not {one.backup for one in failed[1:-2]} & kept.keys()

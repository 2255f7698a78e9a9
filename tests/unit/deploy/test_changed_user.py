"""The data follows a changed user, and goes back to the user before when the deployment fails."""

from __future__ import annotations

import pytest

from orchestrator.domain.deployment import Deployment, Kind, State, StepName
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


def test_a_backup_that_is_put_back_is_readable_for_the_release_that_serves(world: World) -> None:
    """It was made under pause, when the data belonged to the user of the release that fails; lists are not in it."""

    async def story() -> Deployment:
        world.configure(migrate={"command": "up", "status": "status"})
        await live(world, "0001")
        world.configure(run=AS_ANOTHER)
        world.engine.incompatible.add("0002")
        world.engine.half_way.add("0003")
        world.publish("0002", "0003")
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.failure is not None
    assert any("Restored backup" in said for said in ended.failure.undone), ended.failure.undone
    assert ended.failure.serving is not None
    assert ended.failure.serving.answers, ended.failure
    assert world.engine.data_of(APP).owner == OLD


def test_the_backup_before_has_the_owner_of_the_release_before(world: World) -> None:
    async def story() -> None:
        await live(world, "0001")
        world.configure(run=AS_ANOTHER)
        await live(world)

    virtual_time.run(story())
    newest = max(world.engine.backups[APP])
    assert world.engine.backups[APP][newest][1].owner == OLD


def test_an_unchanged_user_costs_no_sidecar(world: World) -> None:
    async def story() -> list[str]:
        await live(world, "0001")
        world.power.operations = []
        await live(world)
        return world.power.operations

    assert not any("own" in one.split() for one in virtual_time.run(story()))


@pytest.mark.parametrize("release", [False, True])
def test_the_data_of_a_backup_from_before_the_change_follows_as_well(world: World, *, release: bool) -> None:
    """The release that was live, or that of the backup, runs on it, and the other one after a rollback."""

    async def story() -> list[Deployment]:
        await live(world, "0001")
        world.configure(run=AS_ANOTHER)
        await live(world)
        backup = max(world.engine.backups[APP])
        record = await world.scheduler.restore(APP, backup, by="me", kind=Kind.RESTORE, release=release)
        return [await world.until_ended(record.id), await world.roll_back(), await world.roll_back()]

    for ended in virtual_time.run(story()):
        assert ended.state is State.LIVE, ended.failure


@pytest.mark.parametrize("user", ["nobody-knows", "1000:nobody-knows"])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_user_that_the_image_does_not_have_is_one_error_before_anything_is_started(
    world: World, user: str, is_first: bool
) -> None:
    """The undo asked for the same user, failed by the same error, and was tried for a long time."""

    async def story() -> Deployment:
        if not is_first:
            await live(world, "0001")
        world.configure(run={"data": "/data", "user": user})
        world.engine.unknown_users.add(user)
        world.publish("0002")
        return await world.deploy()

    ended = virtual_time.run(story())

    assert (ended.state, ended.steps[-1].name) == (State.FAILED, StepName.BUILD)
    assert ended.failure is not None
    assert "is not in its /etc/passwd" in ended.failure.cause
    assert ended.failure.undone == ()

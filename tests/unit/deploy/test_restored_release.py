"""A restore can bring the release of the backup back, together with its data."""

from __future__ import annotations

import pytest

from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.errors import Refused
from tests.support import virtual_time
from tests.support.fakes.stories import assert_whole, live
from tests.support.fakes.world import APP, World


async def restored(world: World, backup: str) -> Deployment:
    record = await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE, release=True)
    return await world.until_ended(record.id)


async def three_releases(world: World) -> str:
    """Gives the backup of the first one, before an incompatible migration."""
    await live(world, "0001")
    world.engine.incompatible.add("0002")
    await live(world, "0002")
    await live(world)
    return min(world.engine.backups[APP])


def test_data_and_release_of_the_backup_are_back_and_the_release_that_was_live_is_the_standby(world: World) -> None:
    async def story() -> Deployment:
        return await restored(world, await three_releases(world))

    ended = virtual_time.run(story())
    active, standby = world.context.active, world.context.standby
    assert ended.state is State.LIVE, ended.failure
    assert active is not None
    assert standby is not None
    assert (active.id, active.version, standby.version) == (ended.id, "v1", "v3")
    assert world.engine.data_of(APP).schema == ["0001"]
    assert_whole(world, "restored with its release")


def test_from_there_a_rollback_and_a_deployment_go_on(world: World) -> None:
    async def story() -> tuple[Deployment, Deployment]:
        await restored(world, await three_releases(world))
        back = await world.roll_back()
        assert_whole(world, "rolled back")
        await world.roll_back()
        world.publish()
        return back, await world.deploy()

    back, newest = virtual_time.run(story())
    assert (back.state, back.version) == (State.LIVE, "v3")
    assert newest.state is State.LIVE, newest.failure
    assert_whole(world, "deployed again")


def test_a_release_that_never_answers_leaves_data_and_release_as_they_were(world: World) -> None:
    async def story() -> Deployment:
        backup = await three_releases(world)
        world.engine.broken.add("v1")
        return await restored(world, backup)

    ended = virtual_time.run(story())
    active = world.context.active
    assert ended.state is State.FAILED
    assert active is not None
    assert active.version == "v3"
    assert world.engine.data_of(APP).schema == ["0001", "0002"]
    assert_whole(world, "not restored")


def test_without_its_image_it_is_refused_before_anything_is_done(world: World) -> None:
    async def story() -> None:
        backup = await three_releases(world)
        world.engine.tags.clear()
        with pytest.raises(Refused, match=r"The image of v1 of backup .* does not exist any more") as refused:
            await restored(world, backup)
        assert "changeover deploy shop --ref r1 --wait; changeover backup restore shop" in refused.value.remedy

    virtual_time.run(story())
    assert world.journal.deployments(APP, limit=1)[0].kind is Kind.DEPLOY


@pytest.mark.parametrize(("exit_code", "is_told"), [(137, True), (0, False)])
def test_an_app_that_does_not_end_on_sigterm_is_named_because_requests_wait_for_it(
    world: World, exit_code: int, is_told: bool
) -> None:
    async def story() -> str:
        await live(world, "0001")
        await live(world)
        active = world.context.active
        assert active is not None
        world.engine.running[active.container].exit_code = exit_code
        record = await world.scheduler.restore(APP, min(world.engine.backups[APP]), by="test", kind=Kind.RESTORE)
        return (await world.until_ended(record.id)).id

    restored_by = virtual_time.run(story())
    said = [event.fields.get("line", "") for event in world.journal.events() if event.deployment == restored_by]
    assert any("did not end within 10 s after SIGTERM" in str(line) for line in said) is is_told

"""A restore can bring the release of the backup back, together with its data."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest

from orchestrator.domain.deployment import Deployment, Kind, State, StepName
from orchestrator.errors import Refused
from tests.support import virtual_time
from tests.support.fakes.power import Killed
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


def without_the_image(world: World) -> str:
    """Gives the backup of v1, whose image somebody has removed."""
    backup = min(world.engine.backups[APP])
    manifest, _ = world.engine.backups[APP][backup]
    world.engine.tags.discard(manifest.image.removeprefix("sha256:"))
    return backup


def test_without_its_image_it_is_built_again_from_its_source(world: World) -> None:
    """The way to deploy the release first is refused where the data is newer, with the advice to restore it."""

    async def story() -> Deployment:
        await three_releases(world)
        return await restored(world, without_the_image(world))

    ended = virtual_time.run(story())
    active = world.context.active
    assert ended.state is State.LIVE, ended.failure
    assert ended.steps[0].name is StepName.BUILD
    assert active is not None
    assert active.version == "v1"
    assert world.engine.data_of(APP).schema == ["0001"]
    assert_whole(world, "restored with its release, which was built again")


def test_a_release_that_cannot_be_built_again_fails_before_requests_wait_and_says_what_can_be_restored(
    world: World,
) -> None:
    async def story() -> Deployment:
        await three_releases(world)
        backup = without_the_image(world)
        world.engine.failing.add("build")
        return await restored(world, backup)

    ended = virtual_time.run(story())
    active = world.context.active
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert ended.failure.step is StepName.BUILD
    assert "The image of v1 was removed, and the release cannot be built again" in ended.failure.cause
    assert f"changeover backup restore shop {ended.ref}" in ended.failure.tip
    assert ended.paused_s is None
    assert active is not None
    assert active.version == "v3"
    assert world.engine.data_of(APP).schema == ["0001", "0002"]
    assert_whole(world, "not built again")


def test_without_its_image_and_its_source_revision_it_is_refused_before_anything_is_done(world: World) -> None:
    async def story() -> None:
        await three_releases(world)
        backup = without_the_image(world)
        manifest, data = world.engine.backups[APP][backup]
        world.engine.backups[APP][backup] = replace(manifest, revision=""), data
        with pytest.raises(Refused, match=r"The image of v1 of backup .* does not exist any more") as refused:
            await restored(world, backup)
        assert f"changeover backup restore shop {backup}" in refused.value.remedy

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


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_while_the_release_is_built_again_leaves_data_and_release_as_they_were(
    world: World, *, after: bool
) -> None:
    async def story() -> None:
        await three_releases(world)
        backup = without_the_image(world)
        world.power.cut_at("build", after=after)
        with suppress(Killed):
            await restored(world, backup)
        await world.restart()

    virtual_time.run(story())
    newest, active = world.journal.deployments(APP, limit=1)[0], world.context.active
    assert (newest.kind, newest.state) == (Kind.RESTORE, State.FAILED)
    assert active is not None
    assert active.version == "v3"
    assert not world.context.source_folder(newest).exists()
    assert_whole(world, "killed while it was built again")

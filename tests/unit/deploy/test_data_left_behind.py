"""A configuration that has lost `run.data` takes nobody's data away: neither from the app, nor from its backups."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.config.effective import effective
from orchestrator.domain.deployment import Deployment, Kind, State, StepName
from orchestrator.errors import StepFailed
from tests.support import virtual_time
from tests.support.fakes.stories import ROW, live
from tests.support.fakes.world import APP, World

BACKUP = {"dump": "dump", "restore": "restore"}


async def without_data(world: World, *, force: bool = False, backup: dict[str, str] | None = None) -> Deployment:
    await live(world, "0001")
    await live(world)
    world.configure(run={}, migrate=None, **({"backup": backup} if backup else {}))
    world.publish()
    return await world.deploy(force=force)


def test_a_release_that_would_start_without_the_data_is_refused_before_it_is_built(world: World) -> None:
    ended = virtual_time.run(without_data(world))
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert ended.failure.step is StepName.PREPARE
    assert world.context.volume in ended.failure.cause
    assert "Set run.data of shop as it was" in ended.failure.tip
    assert "changeover deploy shop --force" in ended.failure.tip
    assert ROW in world.engine.data_of(APP).rows


@pytest.mark.parametrize(
    ("before", "then", "said"),
    [
        ({"data": "/data"}, {"data": "/store"}, "run.data mounts it at /store now, and no longer at /data"),
        ({"volumes": ("up:/up",)}, {"volumes": ()}, "volume test-shop-up, at /up, and run.volumes does not name it"),
        ({"volumes": ("up:/up",)}, {"volumes": ("files:/up",)}, "run.volumes does not name it any more"),
        ({"volumes": ("/srv/up:/up",)}, {"volumes": ("/srv/up:/more",)}, "the folder /srv/up, at /up"),
        ({"volumes": ("up:/up",)}, {"volumes": ("up:/up/:ro",)}, ""),
        ({"volumes": ("up:/up",)}, {"volumes": ("up://up",)}, ""),
        ({"volumes": ("/srv/up:/up",)}, {"volumes": ("/srv/new:/up",)}, ""),
        ({"volumes": ("up:/up:ro",)}, {"volumes": ()}, ""),
        ({"data": "/data"}, {"data": "/data/", "volumes": ("more:/more",)}, ""),
    ],
)
def test_what_the_release_before_can_write_is_in_its_place_or_the_next_one_is_refused(
    world: World, before: dict[str, object], then: dict[str, object], said: str
) -> None:
    async def story() -> Deployment:
        await live(world, "0001")
        world.configure(run={"data": "/data"} | before)
        await live(world)
        world.configure(run={"data": "/data"} | before | then)
        world.publish()
        ended = await world.deploy()
        if said:
            assert (await world.deploy(force=True)).state is State.LIVE
            world.publish()
            assert (await world.deploy()).state is State.LIVE
        return ended

    ended = virtual_time.run(story())
    assert ended.state is (State.FAILED if said else State.LIVE)
    if said:
        assert ended.failure is not None
        assert ended.failure.step is StepName.PREPARE
        assert said in ended.failure.cause


def test_a_release_that_a_restore_would_start_without_the_data_is_refused_before_anything_is_done(world: World) -> None:
    async def story() -> None:
        await live(world, "0001")
        await live(world)
        backup = min(world.engine.backups[APP])
        world.configure(run={"data": "/store"})
        with pytest.raises(StepFailed, match=r"run\.data mounts it at /store now") as refused:
            await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE, release=True)
        assert f"changeover backup restore shop {backup}" in refused.value.remedy
        assert "--force" not in refused.value.remedy  # a restore has no such option
        # The active release goes on in its container, where nothing has changed.
        await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE)

    virtual_time.run(story())
    restores = [one for one in world.journal.deployments(APP) if one.kind is Kind.RESTORE]
    assert [one.state for one in restores] == [State.LIVE]


@pytest.mark.parametrize("way", ["forced", "elsewhere"])
def test_an_app_that_needs_no_volume_any_more_is_deployed(world: World, way: str) -> None:
    async def story() -> list[State]:
        first = await without_data(world, force=way == "forced", backup=BACKUP if way == "elsewhere" else None)
        world.publish()
        return [first.state, (await world.deploy()).state]

    assert virtual_time.run(story()) == [State.LIVE, State.LIVE]
    assert world.context.volume in world.engine.named_volumes


def test_the_images_of_backups_are_kept_also_while_the_app_has_no_data(world: World) -> None:
    async def story() -> None:
        world.context = replace(world.context, limits=replace(world.context.limits, keep_images=1))
        for _ in range(4):
            await live(world)
        world.configure(run={}, migrate=None)
        world.context = replace(world.context, limits=replace(world.context.limits, keep_images=1))
        for _ in range(3):
            world.publish()
            assert (await world.deploy(force=True)).state is State.LIVE

    virtual_time.run(story())
    made = [manifest for manifest, _ in world.engine.backups[APP].values()]
    assert made
    assert {one.image.removeprefix("sha256:") for one in made} <= world.engine.tags


def test_an_app_that_never_had_data_is_asked_for_no_backups_at_its_deployments(world: World) -> None:
    async def story() -> None:
        world.configure(run={}, migrate=None)
        world.context = replace(world.context, limits=replace(world.context.limits, keep_images=1))
        for _ in range(4):
            world.publish()
            assert (await world.deploy()).state is State.LIVE

    virtual_time.run(story())
    assert world.engine.sidecar_specs == []


@pytest.mark.parametrize(
    ("run", "why"),
    [
        ({}, "run.data is not set any more"),
        ({"data": "/elsewhere"}, "run.data mounts it at /elsewhere now, and no longer at /data"),
        ({"data": "/data", "volumes": ("uploads:/other",)}, "run.volumes mounts it at /other now"),
        ({"data": "/data"}, "run.volumes does not name it any more"),
    ],
    ids=["no data", "data moved", "volume moved", "no volume"],
)
def test_a_container_that_is_gone_is_not_made_again_without_its_data(
    world: World, run: dict[str, Any], why: str
) -> None:
    """The deployment with such a configuration was refused; a removed container then started the app with nothing."""

    async def story() -> tuple[str, set[str], set[str]]:
        world.configure(run={"data": "/data", "volumes": ("uploads:/up", "cache:/cache:ro")})
        await live(world, "0001")
        await live(world)
        as_it_was = world.config
        active = world.context.active
        assert active is not None
        world.journal.save_deployed_values(APP, active.id, effective(as_it_was), [active.id])
        await world.engine.remove(active.container)
        world.configure(run=run, migrate=None)
        await world.new_process()
        await world.recovery.recover_all()
        problem, without = world.recovery.problem(APP), world.engine.app_containers()
        world.config = as_it_was
        await world.new_process()
        await world.recovery.recover_all()
        return problem, without, world.engine.app_containers()

    problem, without, after = virtual_time.run(story())
    assert "would be made again without its data" in problem
    assert why in problem
    assert f"Set {why.partition(' ')[0]} of shop as it was" in problem
    assert len(after) == len(without) + 1
    assert ROW in world.engine.data_of(APP).rows


def test_a_path_in_which_something_was_hidden_as_a_secret_keeps_no_container_from_being_made_again(
    world: World,
) -> None:
    """A path may have the word that is a weak password elsewhere."""

    async def story() -> tuple[str, set[str]]:
        world.configure(run={"data": "/data", "volumes": ("uploads:/srv/hunter22",)})
        await live(world, "0001")
        active = world.context.active
        assert active is not None
        values = {key: value.replace("hunter22", "[hidden]") for key, value in effective(world.config).items()}
        world.journal.save_deployed_values(APP, active.id, values, [active.id])
        await world.engine.remove(active.container)
        await world.new_process()
        await world.recovery.recover_all()
        return world.recovery.problem(APP), world.engine.app_containers()

    problem, containers = virtual_time.run(story())
    assert problem == ""
    assert len(containers) == 1

"""What people do with an app, as stories on fakes; and what must hold after each, whatever happened meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from orchestrator.app_data import backups
from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Kind, State, StepState
from orchestrator.domain.schema_history import Direction, Outcome
from orchestrator.engine.base import ContainerEvent, Role
from tests.support.fakes.world import APP, World

Story = Callable[[World], Awaitable[None]]
ROW = "an order that somebody was told is kept"


def app(*, down: bool = True, standby: str = "paused", names: bool = True) -> App:
    """`names`: it has a status command; without one, its migrations are not compatible."""
    migrate: dict[str, object] = {"command": "up", **({"status": "status"} if names else {"compatible": False})}
    migrate |= {"down": "down {revision}"} if down else {}
    return App.model_validate(
        {
            "route": {"host": "shop.test"},
            "run": {"data": "/data"},
            "migrate": migrate,
            "standby": standby,
            "health": {"answers": 1, "timeout": 0.05},
            "update": {"rollback": {"max_rollback_attempts": 1}},
        }
    )


async def live(world: World, *revisions: str) -> None:
    """A release that brings these revisions goes live, and somebody writes to its data."""
    world.publish(*revisions)
    ended = await world.deploy()
    assert ended.state is State.LIVE, ended.failure
    world.engine.data_of(APP).rows.add(ROW)


async def nothing_before(world: World) -> None:
    world.publish("0001")


async def one_release(world: World) -> None:
    await live(world, "0001")
    world.publish()


async def compatible_migration(world: World) -> None:
    await live(world, "0001")
    world.publish("0002")


async def incompatible_migration(world: World) -> None:
    await live(world, "0001")
    world.engine.incompatible.add("0002")
    world.publish("0002")


async def failing_migration(world: World) -> None:
    await live(world, "0001")
    world.publish("0002")
    world.engine.failing.add("up")


async def half_way(world: World) -> None:
    """The tool commits 0002, and fails at 0003."""
    world.engine.silent = not (world.config.migrate and world.config.migrate.status)
    await live(world, "0001")
    world.engine.incompatible.add("0002")
    world.publish("0002", "0003")
    world.engine.half_way.add("0003")


async def two_releases(world: World) -> None:
    await live(world, "0001")
    await live(world)


async def a_standby_and_a_newer_release(world: World) -> None:
    await two_releases(world)
    world.publish()


async def a_crash_loop(world: World) -> None:
    """The live release has ended twice, and runs at this moment; the release that mends that is there."""
    await two_releases(world)
    active = world.context.active
    assert active is not None
    for _ in range(2):
        world.crashes.heard(ContainerEvent("die", APP, Role.APP, active.container, 6))
    world.publish()


async def across_an_incompatible_migration(world: World) -> None:
    await live(world, "0001")
    world.engine.incompatible.add("0002")
    await live(world, "0002")


async def a_backup(world: World) -> None:
    await two_releases(world)
    await live(world)


async def deploy(world: World) -> None:
    await world.deploy()


async def deploy_again(world: World) -> None:
    await world.deploy(force=True)


async def roll_back(world: World) -> None:
    await world.roll_back()


async def restore(world: World) -> None:
    backup = next(iter(world.engine.backups[APP]))
    record = await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE)
    await world.until_ended(record.id)


async def restore_with_the_release(world: World) -> None:
    backup = next(iter(world.engine.backups[APP]))
    record = await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE, release=True)
    await world.until_ended(record.id)


async def a_newer_backup(world: World) -> None:
    """The live release was rolled back to; the newest backup has a schema that it cannot run on."""
    await across_an_incompatible_migration(world)
    active = world.context.active
    assert active is not None
    async with world.data_turn:
        await backups.create(world.context, active, "by hand")
    await world.roll_back()


async def restore_what_is_newer(world: World) -> None:
    backup = next(name for name, (made, _) in world.engine.backups[APP].items() if made.reason == "by hand")
    record = await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE)
    await world.until_ended(record.id)


async def back_by_a_backup(world: World) -> None:
    """The standby is newer, with a schema that the live release cannot run on."""
    await across_an_incompatible_migration(world)
    await roll_back_with_a_backup(world)
    world.engine.data_of(APP).rows.add(ROW)


async def roll_back_with_a_backup(world: World) -> None:
    active = world.context.active
    assert active is not None
    record = await world.scheduler.restore(APP, active.backup, by="test", kind=Kind.ROLLBACK)
    await world.until_ended(record.id)


RESTORES = (restore, restore_what_is_newer, restore_with_the_release, roll_back_with_a_backup)
"""What is written after the backup is not in the data any more."""

STORIES: dict[str, tuple[App, Story, Story]] = {
    "the first deployment": (app(), nothing_before, deploy),
    "a deployment": (app(), one_release, deploy),
    "a deployment with a standby": (app(), a_standby_and_a_newer_release, deploy),
    "the same release again": (app(), two_releases, deploy_again),
    "a deployment in a crash loop": (app(), a_crash_loop, deploy),
    "a compatible migration": (app(), compatible_migration, deploy),
    "an incompatible migration": (app(), incompatible_migration, deploy),
    "an incompatible migration without a way down": (app(down=False), incompatible_migration, deploy),
    "a migration that fails": (app(), failing_migration, deploy),
    "a migration that fails half-way, and can be reverted": (app(), half_way, deploy),
    "a migration that fails half-way, and the backup is restored": (app(down=False), half_way, deploy),
    "a migration that fails half-way, without names": (app(down=False, names=False), half_way, deploy),
    "a rollback to a warm standby": (app(standby="warm"), two_releases, roll_back),
    "a rollback to a paused standby": (app(), two_releases, roll_back),
    "a rollback with the data": (app(), across_an_incompatible_migration, roll_back),
    "a rollback to a newer release, without a way down": (app(down=False), back_by_a_backup, roll_back),
    "a restore": (app(), a_backup, restore),
    "a restore of a newer schema": (app(), a_newer_backup, restore_what_is_newer),
    "a restore with the release": (app(), a_backup, restore_with_the_release),
    "a rollback with a backup": (app(down=False), across_an_incompatible_migration, roll_back_with_a_backup),
}


async def operations_of(folder: Path, name: str) -> list[str]:
    """What the story does to the world outside when nothing happens meanwhile."""
    config, before, act = STORIES[name]
    world = World(folder, config)
    await before(world)
    world.power.operations = []
    await act(world)
    await world.at_rest()
    return list(world.power.operations)


def assert_whole(world: World, where: str) -> None:
    active, standby = world.context.active, world.context.standby
    history = world.journal.deployments(APP)
    assert all(one.state.ended and one.ended_at for one in history), where
    assert not [step for one in history for step in one.steps if step.state is StepState.RUNNING], where
    assert world.engine.sidecars() == set(), where
    assert world.engine.app_containers() == {one.container for one in (active, standby) if one}, where
    assert world.proxy.waiting == set(), f"{where}: requests wait for ever"
    assert not list((world.folder / "work").glob("*")), f"{where}: a source is left"
    runs = world.journal.migrations(APP)
    assert not [run for run in runs if run.outcome is Outcome.RUNNING], f"{where}: a migration runs for ever"
    told = [run for run in runs if run.direction is Direction.RESTORED]
    done = [f"{run.deployment}-{run.id}" for run in told if run.outcome is Outcome.DONE]
    assert done == world.engine.restores, f"{where}: what became of a restore is not told truly"
    if active is None:
        assert APP not in world.proxy.running, where
        return
    assert world.engine.can_run(active.container), f"{where}: {active.container} cannot serve"
    assert world.proxy.running[APP].address == active.address, where
    assert world.proxy.files[APP] is active.colour, where

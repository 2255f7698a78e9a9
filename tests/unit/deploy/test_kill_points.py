"""A kill of the orchestrator at every operation of every story: finished or undone by the next start, nothing left.

On fakes of journal, engine and proxy, with the real plans, scheduler and recovery. An operation is anything that has an
effect outside of the process: a write of the journal, a container, a map of the proxy. The kill comes before the first
effect, and after each. The same kinds of points on the real engine are in `tests/system/test_interruptions.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Deployment, Kind, State, StepState
from tests.support import virtual_time
from tests.support.fakes.power import Killed
from tests.support.fakes.world import APP, World

Story = Callable[[World], Awaitable[None]]
ROW = "an order that somebody was told is kept"


def app(*, down: bool = True, standby: str = "warm") -> App:
    migrate = {"command": "up", "status": "status"} | ({"down": "down {revision}"} if down else {})
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


async def two_releases(world: World) -> None:
    await live(world, "0001")
    await live(world)


async def across_an_incompatible_migration(world: World) -> None:
    await live(world, "0001")
    world.engine.incompatible.add("0002")
    await live(world, "0002")


async def a_backup(world: World) -> None:
    await two_releases(world)
    await live(world)


async def deploy(world: World) -> None:
    await world.deploy()


async def roll_back(world: World) -> None:
    await world.roll_back()


async def restore(world: World) -> None:
    backup = min(world.engine.backups[APP])
    record = await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE)
    await world.until_ended(record.id)


async def roll_back_with_a_backup(world: World) -> None:
    active = world.context.active
    assert active is not None
    record = await world.scheduler.restore(APP, active.backup, by="test", kind=Kind.ROLLBACK)
    await world.until_ended(record.id)


STORIES: dict[str, tuple[App, Story, Story]] = {
    "the first deployment": (app(), nothing_before, deploy),
    "a deployment": (app(), one_release, deploy),
    "a deployment with a standby": (app(), two_releases, deploy),
    "a compatible migration": (app(), compatible_migration, deploy),
    "an incompatible migration": (app(), incompatible_migration, deploy),
    "an incompatible migration without a way down": (app(down=False), incompatible_migration, deploy),
    "a migration that fails": (app(), failing_migration, deploy),
    "a rollback to a warm standby": (app(), two_releases, roll_back),
    "a rollback to a paused standby": (app(standby="paused"), two_releases, roll_back),
    "a rollback with the data": (app(), across_an_incompatible_migration, roll_back),
    "a restore": (app(), a_backup, restore),
    "a rollback with a backup": (app(down=False), across_an_incompatible_migration, roll_back_with_a_backup),
}


@pytest.mark.parametrize("name", STORIES)
def test_a_kill_at_any_operation_leaves_one_active_colour_and_nothing_behind(name: str, tmp_path: Path) -> None:
    config, before, act = STORIES[name]
    operations = virtual_time.run(_count(tmp_path / "whole", config, before, act))
    assert len(operations) > 5

    for number, operation in enumerate(operations):
        where = f"{name}, killed after operation {number} ({operation})"
        virtual_time.run(_kill(tmp_path / str(number), config, before, act, number, after=True, where=where))
    where = f"{name}, killed before anything was done"
    virtual_time.run(_kill(tmp_path / "first", config, before, act, 0, after=False, where=where))


def test_a_switch_on_record_stays_live_also_when_the_proxy_refuses_to_resume_at_the_next_start(
    tmp_path: Path,
) -> None:
    """Killed anywhere in the switch of an incompatible migration; then the first tries to let requests go fail."""
    config, before, act = STORIES["an incompatible migration"]
    operations = virtual_time.run(_count(tmp_path / "whole", config, before, act))
    switching = [number for number, one in enumerate(operations) if "switch" in one or "resume" in one]

    for number in switching:
        where = f"killed after operation {number} ({operations[number]})"

        async def story(number: int = number, where: str = where) -> None:
            world = World(tmp_path / str(number), config)
            await before(world)
            world.power.cut_at(number, after=True)
            with suppress(Killed):
                await act(world)
            world.proxy.refused_resumes = 2
            await world.restart()
            _is_whole(world, where)
            active = world.context.active
            assert active is not None, where
            assert (active.version, active.state) == ("v2", State.LIVE), where

        virtual_time.run(story())


async def _count(folder: Path, config: App, before: Story, act: Story) -> list[str]:
    world = World(folder, config)
    await before(world)
    world.power.operations = []
    await act(world)
    await world.at_rest()
    return list(world.power.operations)


async def _kill(folder: Path, config: App, before: Story, act: Story, number: int, *, after: bool, where: str) -> None:
    world = World(folder, config)
    await before(world)
    old = world.context.active
    restoring = act in (restore, roll_back_with_a_backup)
    world.power.cut_at(number, after=after)
    with suppress(Killed):
        await act(world)
    _serves_meanwhile(world, old, where)
    world.engine.failing.clear()

    await world.restart()

    _is_whole(world, where)
    assert restoring or old is None or ROW in world.engine.data_of(APP).rows, f"{where}: a row is lost"
    again = await world.deploy()
    assert again.state is State.LIVE, f"{where}: then {again.failure}"
    _is_whole(world, f"{where}, and a deployment more")


def _serves_meanwhile(world: World, old: Deployment | None, where: str) -> None:
    """Before anybody has recovered anything: requests are answered, or they wait."""
    if old is not None:
        server = world.proxy.running[APP]
        served = world.engine.can_run(world.engine.at(server.address))
        assert served or APP in world.proxy.waiting, f"{where}: requests fail"


def _is_whole(world: World, where: str) -> None:
    active, standby = world.context.active, world.context.standby
    history = world.journal.deployments(APP)
    assert all(one.state.ended and one.ended_at for one in history), where
    assert not [step for one in history for step in one.steps if step.state is StepState.RUNNING], where
    assert world.engine.sidecars() == set(), where
    assert world.engine.app_containers() == {one.container for one in (active, standby) if one}, where
    assert world.proxy.waiting == set(), f"{where}: requests wait for ever"
    assert not list((world.folder / "work").glob("*")), f"{where}: a source is left"
    if active is None:
        assert APP not in world.proxy.running, where
        return
    assert world.engine.can_run(active.container), f"{where}: {active.container} cannot serve"
    assert world.proxy.running[APP].address == active.address, where
    assert world.proxy.files[APP] is active.colour, where

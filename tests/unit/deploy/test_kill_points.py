"""A kill of the orchestrator at every operation of every story: finished or undone by the next start, nothing left.

On fakes of journal, engine and proxy, with the real plans, scheduler and recovery. An operation is anything that has an
effect outside of the process: a write of the journal, a container, a map of the proxy. The kill comes before the first
effect, and after each. The same kinds of points on the real engine are in `tests/system/test_interruptions.py`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Deployment, State
from tests.support import virtual_time
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import RESTORES, ROW, STORIES, Story, assert_whole, operations_of
from tests.support.fakes.world import APP, World
from tests.support.turns import Turns

IN_TURN = 8


@pytest.mark.parametrize("name", STORIES)
def test_a_kill_at_any_operation_leaves_one_active_colour_and_nothing_behind(
    name: str, tmp_path: Path, turns: Turns
) -> None:
    """At every one with `make test-all`; otherwise at one in eight, others in each run."""
    config, before, act = STORIES[name]
    operations = virtual_time.run(operations_of(tmp_path / "whole", name))
    assert len(operations) > 5

    for number, operation in turns.of(list(enumerate(operations)), one_in=IN_TURN):
        where = f"{name}, killed after operation {number} ({operation})"
        virtual_time.run(_kill(tmp_path / str(number), config, before, act, number, after=True, where=where))
    where = f"{name}, killed before anything was done"
    virtual_time.run(_kill(tmp_path / "first", config, before, act, 0, after=False, where=where))


def test_a_switch_on_record_stays_live_also_when_the_proxy_refuses_to_resume_at_the_next_start(
    tmp_path: Path,
) -> None:
    """Killed anywhere in the switch of an incompatible migration; then the first tries to let requests go fail."""
    name = "an incompatible migration"
    config, before, act = STORIES[name]
    operations = virtual_time.run(operations_of(tmp_path / "whole", name))
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
            assert_whole(world, where)
            active = world.context.active
            assert active is not None, where
            assert (active.version, active.state) == ("v2", State.LIVE), where

        virtual_time.run(story())


async def _kill(folder: Path, config: App, before: Story, act: Story, number: int, *, after: bool, where: str) -> None:
    world = World(folder, config)
    await before(world)
    old = world.context.active
    restoring = act in RESTORES
    world.power.cut_at(number, after=after)
    with suppress(Killed):
        await act(world)
    _serves_meanwhile(world, old, where)
    world.engine.mend()

    await world.restart()

    assert_whole(world, where)
    assert restoring or old is None or ROW in world.engine.data_of(APP).rows, f"{where}: a row is lost"
    again = await world.deploy(force=True)
    assert again.state is State.LIVE, f"{where}: then {again.failure}"
    assert_whole(world, f"{where}, and a deployment more")


def _serves_meanwhile(world: World, old: Deployment | None, where: str) -> None:
    """Before anybody has recovered anything: requests are answered, or they wait."""
    if old is not None:
        server = world.proxy.running[APP]
        served = world.engine.can_run(world.engine.at(server.address))
        assert served or APP in world.proxy.waiting, f"{where}: requests fail"

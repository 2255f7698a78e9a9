"""A stop of the orchestrator at any operation of its recovery: an undo comes to its end, and is told truly."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.domain.deployment import Deployment, Interrupter, State, StepName
from orchestrator.host.uninterrupted import until_ended
from tests.support import virtual_time
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import STORIES, assert_whole, operations_of
from tests.support.fakes.world import APP, World
from tests.support.turns import Turns

KILLED = (
    "a deployment",
    "an incompatible migration",
    "an incompatible migration without a way down",
    "a migration that fails half-way, and the backup is restored",
    "a restore",
    "a rollback with the data",
)


async def killed(folder: Path, name: str, number: int) -> World:
    config, before, act = STORIES[name]
    world = World(folder, config)
    await before(world)
    world.power.cut_at(number, after=True)
    with suppress(Killed):
        await act(world)
    world.engine.mend()
    await world.new_process()
    return world


async def recover(world: World) -> None:
    await world.recovery.recover_all()
    await world.recovery.go_on()


def interrupted(world: World) -> Deployment:
    return world.journal.deployments(APP, limit=1)[0]


@pytest.mark.parametrize("name", KILLED)
def test_a_stop_at_any_operation_of_recovery_is_told_truly(name: str, tmp_path: Path, turns: Turns) -> None:
    """At one in three, after one kill in seven, with `make test-all`; otherwise at fewer, others in each run."""
    count = len(virtual_time.run(operations_of(tmp_path / "whole", name)))
    for number in turns.of(range(1, count), one_in=35, thorough=7):
        recovering = virtual_time.run(_recovery(tmp_path / f"{number}", name, number, None))
        for at in turns.of(range(recovering), one_in=9, thorough=3):
            virtual_time.run(_recovery(tmp_path / f"{number}-{at}", name, number, at))


async def _recovery(folder: Path, name: str, number: int, at: int | None) -> int:
    """Kill, recover, and stop that at its operation `at`. The number of operations of the recovery."""
    world = await killed(folder, name, number)
    where = f"{name}, killed after operation {number}, and stopped in operation {at} of its recovery"
    before = interrupted(world)
    world.power.operations = []
    if at is None:
        await recover(world)
        count = len(world.power.operations)
        await asyncio.sleep(1)
        return count
    stops: list[asyncio.Task[None]] = []
    began_to_stop = asyncio.Event()

    def stop() -> None:
        stops.append(asyncio.create_task(world.recovery.stop()))
        began_to_stop.set()

    world.power.interrupt_at(at, stop)
    task = asyncio.create_task(recover(world))
    # Not by a loop of turns: the recovery may wait for some time, which does not pass while anything is ready to run.
    await asyncio.wait([task, asyncio.create_task(began_to_stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    await asyncio.gather(*stops)
    task.cancel()
    await until_ended(task)
    await world.scheduler.stop()
    now = interrupted(world)
    began_to_undo = now.steps != before.steps and now.state is not State.LIVE
    assert now.state.ended or not began_to_undo, f"{where}: its undo was interrupted"

    await world.restart()

    assert_whole(world, where)
    ended = world.journal.deployment(before.id)
    if ended.failure and before.steps:
        assert ended.failure.step is before.steps[-1].name, f"{where}: {ended.failure.cause}"
        assert "during prepare" not in ended.failure.cause or before.steps[-1].name is StepName.PREPARE, where
    await asyncio.sleep(1)  # the output of the first one is recorded
    return 0


def test_what_failed_before_the_orchestrator_was_killed_in_its_undo_is_told_first(tmp_path: Path) -> None:
    name = "a migration that fails half-way, and the backup is restored"

    async def story() -> None:
        config, before, act = STORIES[name]
        world = World(tmp_path, config)
        await before(world)
        world.power.cut_at("journal: migrate ended", after=True)
        with suppress(Killed):
            await act(world)
        world.engine.mend()
        cut = interrupted(world)
        assert cut.state is State.RUNNING, "it was killed in its undo"
        await world.restart()
        ended = world.journal.deployment(cut.id)
        assert ended.failure is not None
        assert ended.failure.step is StepName.MIGRATE
        assert ended.failure.cause.startswith("The migration 'up' exited with code 1.")
        assert "stopped while it was undone" in ended.failure.cause

    virtual_time.run(story())


@pytest.mark.parametrize(("by", "state"), [(Interrupter.PERSON, State.CANCELLED), (Interrupter.STOP, State.FAILED)])
def test_a_kill_in_an_undo_does_not_change_who_interrupted_it(by: Interrupter, state: State, tmp_path: Path) -> None:
    """What a person has cancelled was recorded as killed: `auto_update` and pushes began it again."""

    async def story() -> None:
        config, before, act = STORIES["a compatible migration"]
        world = World(tmp_path, config)
        await before(world)
        interrupts: list[asyncio.Task[object]] = []

        def interrupt() -> None:
            busy = world.scheduler.busy_with(APP)
            assert busy is not None
            ending = world.scheduler.cancel(busy.id) if by is Interrupter.PERSON else world.scheduler.stop()
            interrupts.append(asyncio.create_task(ending))

        world.engine.meanwhile = interrupt
        world.power.cut_at("journal: migrate ended", after=True)
        with suppress(Killed):
            await act(world)
        world.engine.meanwhile = lambda: None
        world.engine.mend()
        cut = interrupted(world)
        assert cut.state is State.RUNNING, "it was killed in its undo"
        await world.restart()
        ended = world.journal.deployment(cut.id)
        assert (ended.state, ended.interrupted_by) == (state, by)
        assert ended.failure is not None
        said = {
            Interrupter.PERSON: "The deployment was cancelled. The orchestrator was stopped while it was undone.",
            Interrupter.STOP: "The orchestrator was stopped during migrate.",
        }
        assert ended.failure.cause == said[by]

    virtual_time.run(story())

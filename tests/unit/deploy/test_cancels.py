"""A cancel, a stop, or both, at every operation of every story: told truly, nothing runs on, nothing is left."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

import pytest

from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import State
from orchestrator.errors import Refused
from tests.support import virtual_time
from tests.support.fakes.stories import RESTORES, ROW, STORIES, Story, assert_whole, operations_of
from tests.support.fakes.world import APP, World
from tests.support.turns import Turns

IN_TURN, THOROUGH = 15, 5
LATER = 8
"""The second of two interrupts comes fewer operations than this after the first one: most often during the undo."""


class Interrupt(StrEnum):
    CANCEL = "a cancel"
    TWO_CANCELS = "two cancels"
    STOP = "a stop of the orchestrator"
    CANCEL_AND_STOP = "a cancel and a stop"


@pytest.mark.parametrize("interrupt", list(Interrupt))
@pytest.mark.parametrize("name", STORIES)
def test_an_interrupt_at_any_operation_is_told_truly_and_leaves_nothing(
    name: str, interrupt: Interrupt, tmp_path: Path, turns: Turns
) -> None:
    """At every one with `make soak`, at one in five with `make test-all`; else at one in 15, others in each run."""
    config, before, act = STORIES[name]
    count = len(virtual_time.run(operations_of(tmp_path / "whole", name)))

    for number in turns.of(range(count), one_in=IN_TURN, thorough=THOROUGH):
        where = f"{interrupt} after operation {number} of {name}"
        virtual_time.run(_interrupted(tmp_path / str(number), config, before, act, number, interrupt, where))


async def _interrupted(
    folder: Path, config: App, before: Story, act: Story, number: int, interrupt: Interrupt, where: str
) -> None:
    world = World(folder, config)
    await before(world)
    old = world.context.active
    stops: list[asyncio.Task[None]] = []
    cancels: list[asyncio.Task[None]] = []
    struck = asyncio.Event()

    def cancel() -> None:
        if busy := world.scheduler.busy_with(APP):
            cancels.append(asyncio.create_task(_cancel(world, busy.id)))

    def stop() -> None:
        stops.append(asyncio.create_task(world.scheduler.stop()))
        struck.set()

    def strike() -> None:
        first, *others = {
            Interrupt.CANCEL: [cancel],
            Interrupt.TWO_CANCELS: [cancel, cancel],
            Interrupt.STOP: [stop],
            Interrupt.CANCEL_AND_STOP: [cancel, stop],
        }[interrupt]
        first()
        for second in others:
            world.power.interrupt_after(number % LATER, second)

    world.power.interrupt_at(number, strike)
    story = asyncio.create_task(_to_its_end(world, act))
    await asyncio.wait([story, asyncio.create_task(struck.wait())], return_when=asyncio.FIRST_COMPLETED)
    if not stops:
        await story
        await world.at_rest()
        await asyncio.sleep(1)  # an end is recorded before it is told
        world.power.restore()  # a story that had an operation less than when it was counted was not interrupted
    if stops:
        await asyncio.gather(*stops)
        ran_on = len(world.power.operations)
        await asyncio.sleep(5)
        assert len(world.power.operations) == ran_on, f"{where}: something runs on after the stop"
        story.cancel()
        await asyncio.wait([story])
        world.engine.mend()
        await world.restart()
    await world.at_rest()
    world.engine.mend()

    assert_whole(world, where)
    keeps = act not in RESTORES
    assert not keeps or old is None or ROW in world.engine.data_of(APP).rows, f"{where}: a row is lost"
    _is_told_truly(world, where)
    again = await world.deploy(force=True)
    assert again.state is State.LIVE, f"{where}: then {again.failure}"
    assert_whole(world, f"{where}, and a deployment more")


async def _cancel(world: World, deployment: str) -> None:
    with suppress(Refused):
        await world.scheduler.cancel(deployment)


async def _to_its_end(world: World, act: Story) -> None:
    with suppress(Refused):
        await act(world)


def _is_told_truly(world: World, where: str) -> None:
    """The newest line of the history is live exactly when its container has the traffic."""
    newest = world.journal.deployments(APP, limit=1)[0]
    active = world.context.active
    if newest.state is State.LIVE:
        assert active is not None, where
        assert active.container == newest.container, f"{where}: {newest.id} is called live"
    else:
        assert newest.failure is not None or newest.state in (State.CANCELLED, State.UNCHANGED), where
        assert active is None or active.id != newest.id, f"{where}: {newest.id} is {newest.state}, and is active"

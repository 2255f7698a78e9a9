"""From the moment when the journal has a release as live, the switch is done: on record, and as it is told."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.domain.deployment import Deployment, State, StepName, StepState
from orchestrator.domain.events import EventKind
from orchestrator.errors import JournalError, ProxyError
from tests.support import virtual_time
from tests.support.fakes.stories import STORIES, operations_of
from tests.support.fakes.world import APP, World

RECORDED, AFTERWARDS = "journal: save switch", "journal: retire started"
OF_THE_PROXY = {"resume requests", "set server"}
SWITCHING = [
    "a deployment",
    "the same release again",
    "a deployment in a crash loop",
    "an incompatible migration",
    "a rollback to a paused standby",
    "a rollback with the data",
    "a rollback with a backup",
    "a restore with the release",
]


def after_the_record(operations: list[str]) -> dict[int, str]:
    """The operations of a story between the record of its switch and the beginning of what runs in the background."""
    record = operations.index(RECORDED)
    return dict(list(enumerate(operations))[record + 1 : operations.index(AFTERWARDS, record)])


def told_of_the_switch(world: World, one: Deployment) -> list[str]:
    events = [event for event in world.journal.events(deployment_id=one.id) if event.kind is EventKind.STEP]
    return [str(event.fields["state"]) for event in events if event.fields["step"] == StepName.SWITCH]


def assert_kept(world: World, where: str) -> None:
    newest = world.journal.deployments(APP)[0]
    assert newest.state is State.LIVE, f"{where}: {newest.failure}"
    recorded = [step.state for step in newest.steps if step.name is StepName.SWITCH]
    assert recorded == [StepState.DONE], where
    assert told_of_the_switch(world, newest) == [StepState.RUNNING, StepState.DONE], where
    assert APP not in world.proxy.waiting, f"{where}: requests wait"


@pytest.mark.parametrize("name", SWITCHING)
def test_what_fails_after_the_record_of_a_switch_is_tried_again_and_fails_nothing(name: str, tmp_path: Path) -> None:
    config, before, act = STORIES[name]

    async def failing(number: int, what: str) -> None:
        world = World(tmp_path / str(number), config)
        await before(world)
        error = ProxyError if what in OF_THE_PROXY else JournalError
        world.power.fail_at(number, error(f"{what} is refused.", "Wait."))
        await act(world)
        await world.at_rest()
        assert_kept(world, f"{what}, operation {number} of {name}")
        newest = world.journal.deployments(APP)[0]
        kinds = [event.kind for event in world.journal.events(deployment_id=newest.id)]
        assert EventKind.FAILED not in kinds
        assert kinds.count(EventKind.LIVE) + kinds.count(EventKind.RESTORED) == 1

    operations = after_the_record(virtual_time.run(operations_of(tmp_path / "whole", name)))
    assert operations
    for number, what in operations.items():
        virtual_time.run(failing(number, what))


@pytest.mark.parametrize("name", SWITCHING)
def test_a_stop_after_the_record_of_a_switch_leaves_it_done(name: str, tmp_path: Path) -> None:
    config, before, act = STORIES[name]

    async def stopped(number: int, what: str) -> None:
        world = World(tmp_path / str(number), config)
        await before(world)
        stops: list[asyncio.Task[None]] = []
        struck = asyncio.Event()

        def stop() -> None:
            stops.append(asyncio.create_task(world.scheduler.stop()))
            struck.set()

        world.power.interrupt_at(number, stop)
        story = asyncio.ensure_future(act(world))
        await struck.wait()
        await asyncio.gather(*stops)
        story.cancel()
        await asyncio.wait([story])
        assert_kept(world, f"a stop at {what}, operation {number} of {name}")

    operations = after_the_record(virtual_time.run(operations_of(tmp_path / "whole", name)))
    for number, what in operations.items():
        virtual_time.run(stopped(number, what))

"""Whoever follows a deployment is told how it ended, also when the orchestrator was killed at that moment."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.domain.deployment import Deployment, Kind, State, StepName
from orchestrator.domain.events import EventKind
from tests.support import virtual_time
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import STORIES, app, operations_of, two_releases
from tests.support.fakes.world import APP, World
from tests.support.turns import Turns

IN_TURN = 4

TOLD = {
    State.LIVE: EventKind.LIVE,
    State.ROLLED_BACK: EventKind.LIVE,
    State.FAILED: EventKind.FAILED,
    State.CANCELLED: EventKind.CANCELLED,
    State.UNCHANGED: EventKind.UNCHANGED,
}
NAMES = (
    "a deployment",
    "a migration that fails",
    "a rollback to a paused standby",
    "a restore",
    "the same release again",
)


def untold(world: World, one: Deployment) -> bool:
    wanted = EventKind.RESTORED if one.kind is Kind.RESTORE and one.live_at else TOLD[one.state]
    return wanted not in {event.kind for event in world.journal.events(deployment_id=one.id)}


def told_otherwise(world: World, one: Deployment) -> list[str]:
    """Steps of which the journal has another state than who follows was told last: they are written together."""
    steps = [event for event in world.journal.events(deployment_id=one.id) if event.kind is EventKind.STEP]
    told = {event.fields["step"]: event.fields["state"] for event in steps}
    return [f"{step.name} of {one.id}: {step.state}" for step in one.steps if told.get(step.name) != step.state]


@pytest.mark.parametrize("name", NAMES)
def test_after_a_kill_at_any_operation_each_end_is_told(name: str, tmp_path: Path, turns: Turns) -> None:
    """'deploy --wait' and the panel wait for that event, and waited for ever.

    After every one with `make test-all`; otherwise after one in four, others in each run.
    """
    config, before, act = STORIES[name]

    async def killed(number: int) -> list[str]:
        world = World(tmp_path / str(number), config)
        await before(world)
        world.power.operations = []
        world.power.cut_at(number, after=True)
        with suppress(Killed):
            await act(world)
        if not world.power.dead:
            return []
        if otherwise := [told for one in world.journal.deployments("shop") for told in told_otherwise(world, one)]:
            return otherwise
        world.engine.mend()
        await world.restart()
        if otherwise := [told for one in world.journal.deployments("shop") for told in told_otherwise(world, one)]:
            return [f"after the restart: {one}" for one in otherwise]
        return [f"{one.kind} {one.id}: {one.state}" for one in world.journal.deployments("shop") if untold(world, one)]

    count = len(virtual_time.run(operations_of(tmp_path / "whole", name)))
    numbers = turns.of(range(count), one_in=IN_TURN)
    not_told = {number: left for number in numbers if (left := virtual_time.run(killed(number)))}
    assert not not_told


@pytest.mark.parametrize("back_and_forth", [False, True])
def test_what_a_rollback_takes_the_traffic_from_before_it_is_retired_is_told_to_have_ended(
    tmp_path: Path, back_and_forth: bool
) -> None:
    """'events --deployment' and the panel waited for that for ever."""

    async def story() -> None:
        world = World(tmp_path, app())
        await two_releases(world)
        world.publish()
        newest = await world.scheduler.request(APP, ref="", by="test")
        world.proxy.open_sessions = 1  # the old colour drains for some time
        await world.until_step(newest, StepName.RETIRE)
        for _ in range(2 if back_and_forth else 1):
            await world.scheduler.roll_back(APP, by="test")
        world.proxy.open_sessions = 0
        await world.at_rest()
        for one in world.journal.deployments(APP):
            ends = [event for event in world.journal.events(deployment_id=one.id) if event.kind is EventKind.ENDED]
            assert len(ends) == 1, f"{one.kind} {one.id}: {one.state}"

    virtual_time.run(story())

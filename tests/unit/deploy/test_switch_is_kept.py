"""From the moment when the journal has a release as live, the switch is done: on record, and as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.domain.deployment import Deployment, Kind, State, StepName, StepState
from orchestrator.domain.events import EventKind
from orchestrator.engine.base import ContainerEvent, Role
from orchestrator.errors import JournalError, ProxyError, Refused
from tests.support import virtual_time
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import STORIES, app, operations_of, two_releases
from tests.support.fakes.world import APP, World

RECORDED, WITHOUT_A_SWITCH, AFTERWARDS = "journal: save switch", "a restore", "journal: retire started"
REFUSED = ProxyError("The proxy does not answer.", "Start it.")
MANY, POLL_S = 1000, 0.01
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
    WITHOUT_A_SWITCH,
]


def after_the_record(operations: list[str]) -> dict[int, str]:
    """The operations of a story between the record of its switch and the beginning of what runs in the background."""
    record = operations.index(RECORDED if RECORDED in operations else "resume requests")
    record -= RECORDED not in operations  # the write before it
    return dict(list(enumerate(operations))[record + 1 : operations.index(AFTERWARDS, record)])


def last_step_of(one: Deployment) -> StepName:
    """The one that makes it live."""
    return StepName.VERIFY if one.kind is Kind.RESTORE and not one.brings_release else StepName.SWITCH


def told_of(world: World, one: Deployment, step: StepName) -> list[str]:
    events = [event for event in world.journal.events(deployment_id=one.id) if event.kind is EventKind.STEP]
    return [str(event.fields["state"]) for event in events if event.fields["step"] == step]


def assert_kept(world: World, where: str) -> None:
    newest = world.journal.deployments(APP)[0]
    assert newest.state is State.LIVE, f"{where}: {newest.failure}"
    last = last_step_of(newest)
    assert [step.state for step in newest.steps if step.name is last] == [StepState.DONE], where
    assert told_of(world, newest, last) == [StepState.RUNNING, StepState.DONE], where
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
        await act_and_stop(world, act(world), number)
        assert_kept(world, f"a stop at {what}, operation {number} of {name}")

    operations = after_the_record(virtual_time.run(operations_of(tmp_path / "whole", name)))
    for number, what in operations.items():
        virtual_time.run(stopped(number, what))


def test_it_is_said_once_why_requests_still_wait(tmp_path: Path) -> None:
    """Nothing else tells it while the proxy answers, and refuses this alone."""
    config, before, act = STORIES["an incompatible migration"]

    async def story() -> None:
        world = World(tmp_path, config)
        await before(world)
        world.proxy.refused_resumes = 3
        await act(world)
        assert_kept(world, "refused three times")
        lines = [str(event.fields.get("line")) for event in world.journal.events() if event.kind is EventKind.LINE]
        said = [line for line in lines if line.startswith("requests are not resumed")]
        assert said == [f"requests are not resumed for certain, which is tried again: {REFUSED}"]

    virtual_time.run(story())


def test_a_rollback_meanwhile_is_told_what_to_look_at_and_not_to_cancel_what_cannot_be_cancelled(
    tmp_path: Path,
) -> None:
    config, before, act = STORIES["an incompatible migration"]

    async def story() -> None:
        world = World(tmp_path, config)
        await before(world)
        world.proxy.refused_resumes = MANY
        acting = asyncio.ensure_future(act(world))
        while world.proxy.refused_resumes == MANY:  # noqa: ASYNC110 (the time of this test is virtual)
            await asyncio.sleep(POLL_S)
        newest = world.journal.deployments(APP)[0]
        looks = f"changeover events --deployment {newest.id}"
        with pytest.raises(Refused) as refused:
            await world.scheduler.roll_back(APP, by="me")
        assert looks in refused.value.remedy
        assert "cancel" not in refused.value.remedy
        with pytest.raises(Refused) as refused:
            await world.scheduler.cancel(newest.id)
        assert looks in refused.value.remedy
        assert not acting.done()
        world.proxy.refused_resumes = 0
        await acting
        assert_kept(world, "refused for long")

    virtual_time.run(story())


def test_requests_that_go_on_are_not_said_to_wait_while_that_is_not_on_record(tmp_path: Path) -> None:
    """They were told to wait, and as paused for as long as the journal was away."""
    config, before, act = STORIES["an incompatible migration"]
    whole = virtual_time.run(operations_of(tmp_path / "whole", "an incompatible migration"))

    async def failing() -> None:
        world = World(tmp_path / "failing", config)
        await before(world)
        world.power.fail_at(whole.index("resume requests") + 1, JournalError("The disk is full.", "Make room."))
        await act(world)
        await world.at_rest()
        assert_kept(world, "its record is refused")
        lines = [str(event.fields.get("line")) for event in world.journal.events() if event.kind is EventKind.LINE]
        assert [line for line in lines if "The disk is full" in line] == []
        assert world.power.operations.count("resume requests") == 1, "it may be a person's pause that would end"

    virtual_time.run(failing())


async def taken_from_one_that_crashes(world: World) -> Deployment:
    """A rollback, before its release is retired, takes the traffic from one that crashes. Returns that one."""
    await two_releases(world)
    left = world.context.active
    assert left is not None
    for _ in range(2):
        world.crashes.heard(ContainerEvent("die", APP, Role.APP, left.container, 6))
    return left


def of_a_rollback(world: World) -> list[str]:
    return world.power.operations[: world.power.operations.index(AFTERWARDS) + 1]


@pytest.mark.parametrize("end", ["kill before", "kill after", "stop"])
def test_that_the_standby_crashed_is_known_as_soon_as_it_is_the_standby(end: str, tmp_path: Path) -> None:
    """Whatever ends the process, nothing tells it later."""

    async def counted() -> int:
        world = World(tmp_path / "whole", app())
        await taken_from_one_that_crashes(world)
        world.power.operations = []
        await world.roll_back()
        return len(of_a_rollback(world))

    async def ended(number: int) -> None:
        world = World(tmp_path / f"{end} {number}", app())
        left = await taken_from_one_that_crashes(world)
        world.power.operations = []
        if end == "stop":
            await act_and_stop(world, world.roll_back(), number)
        else:
            world.power.cut_at(number, after=end == "kill after")
            with suppress(Killed):
                await world.roll_back()
        if world.journal.slots(APP).standby == left.id:
            told = [event.kind for event in world.journal.events(deployment_id=left.id)]
            assert EventKind.STANDBY_CRASHED in told, f"{end} {number}: {world.power.operations[number:]}"

    for number in range(virtual_time.run(counted())):
        virtual_time.run(ended(number))


async def act_and_stop(world: World, act: Awaitable[object], number: int) -> None:
    """The orchestrator is stopped when the operation of this number has had its effect."""
    stops: list[asyncio.Task[None]] = []
    struck = asyncio.Event()

    def stop() -> None:
        stops.append(asyncio.create_task(world.scheduler.stop()))
        struck.set()

    world.power.interrupt_at(number, stop)
    story = asyncio.ensure_future(act)
    await struck.wait()
    await asyncio.gather(*stops)
    story.cancel()
    await asyncio.wait([story])

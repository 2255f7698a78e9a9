"""A one-off command writes data as a request does: it has ended before the data changes under everybody's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from orchestrator.apps import one_off
from orchestrator.apps.commands_under_way import ENDED_WITHIN_S
from orchestrator.apps.one_off import Ended, OneOff, Place
from orchestrator.clock import elapsed
from orchestrator.deploy import plans
from orchestrator.deploy.cost import cost_of
from orchestrator.deploy.park import is_parked
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.engine.base import LABEL_APP, LABEL_ONE_OFF, LABEL_ROLE, ContainerSpec, Role
from orchestrator.errors import Refused
from orchestrator.host.uninterrupted import in_spite_of_cancels
from tests.support import virtual_time
from tests.support.fakes.stories import live
from tests.support.fakes.world import APP, World

LIMIT_S = 5.0
"""drain.timeout of the fixture's app."""

Change = Callable[[World], Awaitable[Deployment]]


@dataclass(frozen=True)
class Happened:
    ended: Deployment
    commands_while_data_changed: int
    paused_after_s: float
    took_s: float
    outcome: Ended | BaseException
    said: list[str]


async def deploy(world: World) -> Deployment:
    world.publish("0003")
    return await world.deploy()


async def roll_back(world: World) -> Deployment:
    return await world.roll_back()


async def restore(world: World) -> Deployment:
    record = await world.scheduler.restore(APP, max(world.engine.backups[APP]), by="me", kind=Kind.RESTORE)
    return await world.until_ended(record.id)


async def happens(world: World, change: Change, command_s: float, *, compatible: bool = False) -> Happened:
    """A command that takes `command_s` seconds is under way when the data is changed."""
    await live(world, "0001")
    if not compatible:
        world.engine.incompatible |= {"0002", "0003"}
    await live(world, "0002")

    async def command() -> Ended:
        with world.commands.taking_part():
            wanted = OneOff(Place.EXEC, ("wait",), {}, command_s)
            return await one_off.carry_out(world.context, wanted, lambda _line: None)

    under_way = asyncio.create_task(command())
    await asyncio.sleep(0)
    counted: list[int] = []
    paused: list[float] = []
    world.engine.meanwhile = lambda: counted.append(world.commands.count)
    pause = world.proxy.pause

    async def counting(app: str, limit_s: float) -> None:
        counted.append(world.commands.count)
        paused.append(elapsed() - began)
        await pause(app, limit_s)

    world.proxy.pause = counting  # type: ignore[method-assign]
    began = elapsed()
    ended = await change(world)
    took = elapsed() - began
    (outcome,) = await asyncio.gather(under_way, return_exceptions=True)
    said = [str(one.fields.get("line", "")) for one in world.journal.events(0, ended.id)]
    return Happened(ended, max(counted, default=0), max(paused, default=0), took, outcome, said)


@pytest.mark.parametrize("change", [deploy, roll_back, restore])
def test_a_command_that_goes_on_too_long_is_ended_before_requests_are_paused(world: World, change: Change) -> None:
    found = virtual_time.run(happens(world, change, 3600))

    assert found.ended.state is State.LIVE, found.ended.failure
    assert found.commands_while_data_changed == 0
    assert world.engine.killed == [("wait",)]
    assert isinstance(found.outcome, Refused)
    assert f"changes in {found.ended.kind_in_words} {found.ended.id}" in found.outcome.cause
    assert "one-off commands ended: 1" in found.said
    assert found.paused_after_s >= LIMIT_S, "requests do not wait for a command"
    assert found.took_s < LIMIT_S + 2


@pytest.mark.parametrize("change", [deploy, roll_back, restore])
def test_a_command_that_an_orchestrator_of_before_began_has_ended_before_requests_are_paused(
    world: World, change: Change
) -> None:
    """Docker ends nothing that was begun by `exec`: it goes on after a kill of the orchestrator, and nobody knows."""

    async def story() -> tuple[Deployment, list[set[str]]]:
        await live(world, "0001")
        world.engine.incompatible |= {"0002", "0003"}
        await live(world, "0002")
        assert world.context.active is not None
        world.engine.commands_of_before.add(world.context.active.container)
        seen: list[set[str]] = []
        pause = world.proxy.pause

        async def looking(app: str, limit_s: float) -> None:
            seen.append(set(world.engine.commands_of_before))
            await pause(app, limit_s)

        world.proxy.pause = looking  # type: ignore[method-assign]
        return await change(world), seen

    ended, seen = virtual_time.run(story())

    assert ended.state is State.LIVE, ended.failure
    assert seen == [set()]


def test_a_command_that_ends_in_time_is_waited_for(world: World) -> None:
    found = virtual_time.run(happens(world, deploy, 2))

    assert found.ended.state is State.LIVE, found.ended.failure
    assert found.outcome == Ended(137, late=True)
    assert "one-off commands ended: 1" not in found.said
    assert found.commands_while_data_changed == 0


def test_a_command_goes_on_while_a_compatible_migration_runs(world: World) -> None:
    found = virtual_time.run(happens(world, deploy, 60, compatible=True))

    assert found.ended.state is State.LIVE, found.ended.failure
    assert found.outcome == Ended(137, late=True)
    assert found.commands_while_data_changed == 1
    assert found.took_s < LIMIT_S


def test_a_cancel_of_the_deployment_leaves_the_command_alone(world: World) -> None:
    async def cancelled(world: World) -> Deployment:
        world.publish("0003")
        asked = await world.scheduler.request(APP, ref="", by="me")
        await asyncio.sleep(LIMIT_S / 2)
        await world.scheduler.cancel(asked.id)
        return await world.until_ended(asked.id)

    found = virtual_time.run(happens(world, cancelled, 60))

    assert found.ended.state is State.CANCELLED
    assert found.outcome == Ended(137, late=True)


def test_a_command_that_its_reader_leaves_is_no_refusal(world: World) -> None:
    async def story() -> None:
        async def command() -> None:
            with world.commands.taking_part():
                await asyncio.sleep(3600)

        task = asyncio.create_task(command())
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert world.commands.count == 0

    virtual_time.run(story())


def test_before_it_begins_it_is_said_what_becomes_of_commands(world: World) -> None:
    async def story() -> list[str]:
        await live(world, "0001")
        with world.commands.taking_part():
            return await cost_of(world.context, plans.RESTORE)

    says = "Before that, the one-off commands under way (1) may go on for 5 s (drain.timeout); then they are ended."
    assert says in virtual_time.run(story())


def test_what_does_not_end_keeps_no_deployment_for_ever(world: World) -> None:
    """A process that the kernel cannot end, or whose container somebody has paused."""

    async def story() -> tuple[Deployment, float, Deployment]:
        await live(world, "0001")
        world.engine.incompatible.add("0002")
        may_end = asyncio.Event()

        async def command() -> None:
            with world.commands.taking_part():
                await in_spite_of_cancels(may_end.wait())

        under_way = asyncio.create_task(command())
        await asyncio.sleep(0)
        world.publish("0002")
        began = elapsed()
        ended = await world.deploy()
        took = elapsed() - began
        assert world.proxy.waiting == set()
        may_end.set()
        await asyncio.wait([under_way])
        return ended, took, await world.deploy()

    ended, took, again = virtual_time.run(story())
    assert (ended.state, again.state) == (State.FAILED, State.LIVE)
    assert ended.failure is not None
    assert "1 of the one-off commands of shop that were ended still run after 60 s." in ended.failure.cause
    assert ended.failure.outside, "it is not the release's fault"
    assert took < LIMIT_S + ENDED_WITHIN_S + 5


@pytest.mark.parametrize("kept", ["paused", "stopped"])
def test_a_standby_runs_on_while_a_command_is_inside(world: World, kept: str) -> None:
    """In a container that is paused it would be frozen, and Docker ends nothing there."""

    async def story() -> None:
        world.configure(standby=kept)
        await live(world, "0001")
        old = world.context.active
        assert old is not None

        async def command() -> Ended:
            return await one_off.carry_out(world.context, OneOff(Place.EXEC, ("wait",), {}, 60), lambda _line: None)

        under_way = asyncio.create_task(command())
        await asyncio.sleep(0)
        await live(world, "0002")
        container = world.engine.running[old.container]
        assert (container.running, container.paused) == (True, False)
        assert await under_way == Ended(137, late=True)
        assert not is_parked(world.context, old, await world.engine.status(old.container))

    virtual_time.run(story())


def test_a_command_that_nobody_waits_for_any_more_has_ended_before_the_data_changes(world: World) -> None:
    """As when the engine was restarted while it ran, and goes on with its containers."""

    async def story() -> list[bool]:
        off = {"backup": {"create_before_update": False}, "migrations": {"backup_before_migration": False}}
        world.configure(update=off)
        await live(world, "0001")
        labels = {LABEL_APP: APP, LABEL_ROLE: Role.SIDECAR, LABEL_ONE_OFF: "run"}
        await world.engine.start(ContainerSpec("forgotten", "sha256:1", labels, "test"))
        runs: list[bool] = []
        world.engine.meanwhile = lambda: runs.append("forgotten" in world.engine.running)
        world.engine.incompatible.add("0002")
        await live(world, "0002")
        return runs

    assert virtual_time.run(story()) == [False]

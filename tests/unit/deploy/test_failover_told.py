"""What is told of a failover is true: how the container ended, and what the standby answered until the last request."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.apps import crashes as apps_crashes
from orchestrator.apps.crashes import Crashes, End
from orchestrator.deploy.failover import Failover
from orchestrator.domain.events import EventKind
from orchestrator.engine.base import ContainerEvent, ContainerStatus, Role
from orchestrator.errors import EngineError, ProxyError
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP, World
from tests.unit.deploy.test_failover import active, answers, come_back, crash, kinds, standby, told, watched


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, app())


async def end(world: World, container: str, code: int) -> None:
    """As the engine does it, whose event has the exit code."""
    one = world.engine.running[container]
    one.running, one.restarting, one.exit_code = False, one.restarts_by_itself, code
    await world.engine.happened(ContainerEvent("die", APP, Role.APP, container, code))


def cause(world: World) -> object:
    return next(event for event in world.journal.events() if event.kind == EventKind.FAILED_OVER).fields["cause"]


@pytest.mark.parametrize(
    ("code", "actions", "said"),
    [
        (139, (), "exited with code 139"),
        (137, ("oom",), "was killed because it exceeded its memory limit"),
        (1, ("oom",), "exited with code 1"),
    ],
)
def test_how_a_container_ended_is_told_also_when_the_engine_has_started_it_again(
    world: World, code: int, actions: tuple[str, ...], said: str
) -> None:
    """The engine says code 0 of one that it has started again."""

    async def story() -> None:
        ended = active(world).container
        world.engine.booting = {ended}
        async with world.context.standby_turn:  # nobody looks meanwhile
            for action in actions:
                await told(world, action, ended)
            await end(world, ended, code)
            world.engine.running[ended].exit_code = 0
            await come_back(world, ended)
        await asyncio.sleep(1)
        assert answers(world) == standby(world).container
        assert cause(world) == f"{ended} {said}"

    watched(world, story)


def test_a_memory_limit_that_is_heard_of_late_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its event may come after that of the end, or not at all."""
    ask = world.engine.status

    async def story() -> None:
        ended = active(world).container

        async def status(name: str) -> ContainerStatus | None:
            found = await ask(name)
            return replace(found, oom=True) if found and name == ended else found

        monkeypatch.setattr(world.engine, "status", status)
        await end(world, ended, 137)
        await asyncio.sleep(0.5)
        assert cause(world) == f"{ended} was killed because it exceeded its memory limit"

    watched(world, story)


def test_no_code_is_told_of_a_container_that_runs_again_and_whose_end_was_not_heard_whole(world: World) -> None:
    async def story() -> None:
        ended = active(world).container
        world.engine.booting = {ended}
        async with world.context.standby_turn:
            await crash(world, ended)
            world.engine.running[ended].exit_code = 0
            await come_back(world, ended)
        await asyncio.sleep(1)
        assert cause(world) == f"{ended} has ended"

    watched(world, story)


def test_an_end_is_not_believed_for_ever(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the container was started again may be lost with the stream of events, while the engine is away."""
    ask = world.engine.status

    async def story() -> None:
        ended, away = active(world).container, True

        async def status(name: str) -> ContainerStatus | None:
            if away:
                raise EngineError("Docker does not answer.")
            return await ask(name)

        monkeypatch.setattr(world.engine, "status", status)
        await end(world, ended, 137)
        one = world.engine.running[ended]
        one.running, one.restarting = True, False  # and no event says so
        await asyncio.sleep(apps_crashes.BELIEVED_FOR_S)
        away = False
        await asyncio.sleep(60)
        assert answers(world) == ended
        assert EventKind.FAILED_OVER not in kinds(world)

    watched(world, story)


def test_what_the_standby_answers_until_the_traffic_goes_back_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    failovers: list[Failover] = []
    go_back = world.proxy.go_back

    async def slowly(name: str) -> None:
        world.proxy.answered_by_standby += 5
        await go_back(name)
        world.proxy.answered_by_standby += 1  # what had waited for a connection

    async def story() -> None:
        monkeypatch.setattr(world.proxy, "go_back", slowly)
        await end(world, ended := active(world).container, 137)
        await asyncio.sleep(0.5)
        world.proxy.answered_by_standby = 7
        await come_back(world, ended)
        await asyncio.sleep(5)
        assert failovers[0].record(APP).requests == 13

    watched(world, story, failovers.append)
    back = next(event for event in world.journal.events() if event.kind == EventKind.WENT_BACK)
    assert back.fields["requests"] == 13


@pytest.mark.parametrize("times_away", [0, 2])
def test_what_the_standby_answered_until_a_switch_is_counted(
    world: World, monkeypatch: pytest.MonkeyPatch, times_away: int
) -> None:
    failovers: list[Failover] = []
    count, switch = world.proxy.answers_of_standby, world.proxy.switch
    switched: list[object] = []

    async def switches(*what: object) -> None:
        world.proxy.answered_by_standby += 9
        await switch(*what)  # type: ignore[arg-type]
        switched.append(what)

    async def counts(name: str) -> int:
        if 0 < len(switched) <= times_away:
            switched.append(name)
            raise ProxyError("The proxy does not answer.")
        return await count(name)

    async def story() -> None:
        monkeypatch.setattr(world.proxy, "switch", switches)
        monkeypatch.setattr(world.proxy, "answers_of_standby", counts)
        await end(world, active(world).container, 137)
        await asyncio.sleep(0.5)
        await live(world)
        for _ in range(times_away + 1):
            failovers[0].due(APP)
            await asyncio.sleep(1)
        assert failovers[0].record(APP).requests == 9

    watched(world, story, failovers.append)


def test_a_traffic_that_went_back_is_told_although_its_answers_cannot_be_counted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_back = world.proxy.go_back

    async def away(name: str) -> int:
        raise ProxyError("The proxy does not answer.")

    async def goes_back_and_away(name: str) -> None:
        await go_back(name)
        monkeypatch.setattr(world.proxy, "answers_of_standby", away)

    async def story() -> None:
        monkeypatch.setattr(world.proxy, "go_back", goes_back_and_away)
        await end(world, ended := active(world).container, 137)
        await asyncio.sleep(0.5)
        await come_back(world, ended)
        await asyncio.sleep(5)
        assert answers(world) == ended

    watched(world, story)
    assert kinds(world) == ["failed_over", "went_back"]


async def test_an_end_of_before_says_nothing_of_one_that_was_missed() -> None:
    crashes = Crashes()
    for action in ("oom", "die", "start"):
        crashes.heard(ContainerEvent(action, APP, Role.APP, "shop-1", 137))
    assert crashes.last_end("shop-1") == End(137, oom=True)

    crashes.missed()

    assert crashes.last_end("shop-1") is None


async def test_a_memory_limit_that_was_exceeded_before_a_start_says_nothing_of_the_next_end() -> None:
    crashes = Crashes()
    for action in ("oom", "die", "start", "die"):
        crashes.heard(ContainerEvent(action, APP, Role.APP, "shop-1", 137))

    assert crashes.last_end("shop-1") == End(137, oom=False)


def test_a_failover_that_a_switch_has_ended_is_not_taken_for_the_one_of_now(world: World) -> None:
    """The orchestrator was killed before it had told this one."""

    async def story() -> None:
        await end(world, active(world).container, 139)
        await asyncio.sleep(5)
        assert EventKind.FAILED_OVER in kinds(world)
        await live(world)
        colour = active(world).colour
        assert colour
        await world.proxy.fail_over(APP, colour)

        restarted = Failover(lambda: [world.context], world.scheduler, world.events, Crashes())
        async with world.context.standby_turn:
            keep = asyncio.create_task(restarted.keep())
        await asyncio.sleep(0.1)
        keep.cancel()
        await asyncio.gather(keep, return_exceptions=True)
        assert restarted.record(APP).cause == "why is not recorded"

    watched(world, story)


async def test_what_is_known_of_containers_has_a_limit() -> None:
    crashes = Crashes()

    for number in range(3 * apps_crashes.MOST_CONTAINERS):
        for action in ("kill", "oom", "die"):
            crashes.heard(ContainerEvent(action, APP, Role.APP, f"shop-{number}", 137))

    known = [value for value in vars(crashes).values() if isinstance(value, dict)]
    assert max(len(one) for one in known) <= apps_crashes.MOST_CONTAINERS

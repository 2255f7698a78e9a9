"""Cancels, stops and configuration changes at random moments, on fakes with real threads and processes.

Whatever was interrupted: the state is told truly, nothing runs on, nothing is left, and no lock is held. A thousand
rounds with `make soak`; a few otherwise. A failure names its seed, which repeats the choices, not the moments.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import pytest

from orchestrator.clock import elapsed
from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Kind, State
from orchestrator.errors import Refused
from tests.support.fakes.process_world import ProcessWorld, children
from tests.support.fakes.stories import assert_whole
from tests.support.fakes.world import APP
from tests.support.results import keep_result

ROUNDS, SOAK_ROUNDS = 15, 1000
LONGEST_S = 0.6
"""A story takes about half of this on a machine with nothing else to do."""
RESTS_WITHIN_S = 20.0
CONFIG = {
    "route": {"host": "shop.test"},
    "run": {"data": "/data"},
    "migrate": {"command": "up", "status": "status", "down": "down {revision}"},
    "health": {"answers": 1, "timeout": 5},
    "drain": {"timeout": 1},
    "update": {"rollback": {"max_rollback_attempts": 2}},
}


async def _deploy(world: ProcessWorld, dice: random.Random) -> None:
    revision = f"{len(world.schema) + 1:04}"
    kind = dice.choice(("no migration", "compatible", "incompatible", "fails"))
    world.publish(*([] if kind == "no migration" else [revision]))
    if kind == "incompatible":
        world.engine.incompatible.add(revision)
    if kind == "fails":
        world.engine.failing.add("up")
    await world.deploy()


async def _roll_back(world: ProcessWorld, _dice: random.Random) -> None:
    await world.roll_back()


async def _restore(world: ProcessWorld, dice: random.Random) -> None:
    backups = sorted(world.engine.backups.get(APP, {}))
    if backups:
        record = await world.scheduler.restore(APP, dice.choice(backups), by="test", kind=Kind.RESTORE)
        await world.until_ended(record.id)


async def _check(world: ProcessWorld, _dice: random.Random) -> None:
    await world.context.source.newest()


ACTIONS: tuple[Callable[[ProcessWorld, random.Random], Awaitable[None]], ...] = (
    _deploy, _deploy, _deploy, _roll_back, _restore, _check,
)  # fmt: skip


async def _cancel(world: ProcessWorld) -> None:
    if (busy := world.scheduler.busy_with(APP)) is not None:
        with suppress(Refused):
            await world.scheduler.cancel(busy.id)


def _reconfigure(world: ProcessWorld, dice: random.Random) -> None:
    world.configure(drain={"timeout": dice.choice((0.5, 1, 2))}, standby=dice.choice(("warm", "paused", "stopped")))


async def _interrupted(world: ProcessWorld, dice: random.Random, where: str) -> None:
    """One action, and what strikes it: at most three times."""
    action = asyncio.create_task(_to_its_end(world, dice))
    stopped = False
    for strike in dice.choices(("cancel", "configuration", "stop", "nothing"), k=dice.randint(1, 3)):
        await asyncio.wait([action], timeout=dice.uniform(0, LONGEST_S))
        match strike:
            case "cancel":
                await _cancel(world)
            case "configuration":
                _reconfigure(world, dice)
            case "stop":
                action.cancel()  # as the API's server does with requests that are under way
                await world.scheduler.stop()
                stopped = True
                break
    if not stopped:
        await action
        await world.at_rest()
        return
    ran = len(world.power.operations)
    await asyncio.sleep(0.05)
    assert world.power.operations[ran:] == [], f"{where}: something runs on after the stop"
    assert not world.data_turn.locked(), f"{where}: the data is locked after the stop"
    assert world.scheduler.doing(APP) == "", f"{where}: {world.scheduler.doing(APP)} after the stop"
    await asyncio.wait([action])
    assert not world.git_lock.locked(), f"{where}: the mirror is locked"
    world.engine.failing.clear()
    await world.restart()


async def _to_its_end(world: ProcessWorld, dice: random.Random) -> None:
    with suppress(Refused):
        await dice.choice(ACTIONS)(world, dice)


async def _at_rest(world: ProcessWorld, where: str) -> None:
    """Until also what follows an end is done, as the removal of a failed release's images."""
    await world.at_rest()
    deadline = elapsed() + RESTS_WITHIN_S
    while doing := world.scheduler.doing(APP):
        assert elapsed() < deadline, f"{where}: {doing}, and does not end"
        await asyncio.sleep(0.01)


def _is_told_truly(world: ProcessWorld, where: str) -> None:
    """What the history calls live last is what has the traffic, and each end has its reason."""
    active = world.context.active
    for one in world.journal.deployments(APP):
        if one.state is State.LIVE and (active is None or one.number > active.number) and one.kind is Kind.DEPLOY:
            assert active is not None, where
            later = [two for two in world.journal.deployments(APP) if two.number > one.number]
            assert any(two.kind is Kind.ROLLBACK for two in later), f"{where}: {one.id} is called live"
        if one.state is State.FAILED:
            assert one.failure is not None, f"{where}: {one.id} failed without a reason"


@pytest.mark.timeout(3600)
def test_whatever_is_interrupted_at_random_is_told_truly_and_leaves_nothing(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    soak = request.config.getoption("--soak")
    rounds = SOAK_ROUNDS if soak else ROUNDS
    seed = secrets.randbelow(1_000_000)

    async def story() -> None:
        dice = random.Random(seed)
        world = ProcessWorld(tmp_path, App.model_validate(CONFIG))
        world.publish("0001")
        assert (await world.deploy()).state is State.LIVE
        before = children()
        for number in range(rounds):
            where = f"seed {seed}, round {number}"
            await _interrupted(world, dice, where)
            await _at_rest(world, where)
            world.engine.failing.clear()
            assert_whole(world, where)
            _is_told_truly(world, where)
            assert children() <= before, f"{where}: processes run on"
            if number % 100 == 99:
                print(f"{number + 1} rounds", flush=True)
            assert not list((tmp_path / "sources").rglob("*.lock")), f"{where}: the mirror is locked"
        world.publish()
        last = await world.deploy()
        assert last.state is State.LIVE, f"seed {seed}: then {last.failure}"

    asyncio.run(story())
    if soak:
        keep_result("interrupts", on="fakes", rounds=rounds, seed=seed)

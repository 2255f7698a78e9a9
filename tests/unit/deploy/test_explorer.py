"""Anything that can happen, in any order and at the same time, on fakes: what must hold afterwards, and at any moment.

A few histories always, thousands by `--soak`; `--first N --histories M` repeats some. A failure prints its number, from
which all of its choices come, and what happened.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog.testing

from orchestrator import clock
from orchestrator.app_data import migrations
from orchestrator.config.app_schema import Health
from orchestrator.domain.deployment import Deployment, Kind, State, StepState
from orchestrator.domain.events import EventKind
from orchestrator.domain.schema_history import Outcome, applied
from orchestrator.errors import Refused
from orchestrator.recovery.untold_ends import ENDS
from tests.support import virtual_time
from tests.support.fakes.explorer import CHOICES, CLOCK_JUMPS, MOMENTS_S, OUTSIDE
from tests.support.fakes.living_world import LivingWorld
from tests.support.fakes.stories import app
from tests.support.fakes.world import APP

HISTORIES, SOAKED = 6, 3000
ROUNDS, STEPS = 3, 8
"""After each round everything is there again, and what must hold at rest is checked."""
QUIET_S = 900.0
AT_REST_WITHIN_S = 24 * 3600.0
WENT_LIVE = (EventKind.LIVE, EventKind.RESTORED)
DEFECT = "unexpectedly"
"""What each log line of a defect in Changeover says."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    config = metafunc.config
    histories = SOAKED if config.getoption("--soak") else max(HISTORIES, config.getoption("--histories"))
    first = config.getoption("--first")
    metafunc.parametrize("number", range(first, first + histories))


def test_whatever_happens_in_whatever_order_the_app_ends_as_the_journal_says(tmp_path: Path, number: int) -> None:
    dice = random.Random(number)
    story: list[str] = []

    async def history() -> None:
        mode, down, names = dice.choice(("warm", "paused", "stopped")), dice.random() < 0.7, dice.random() < 0.8
        config = app(standby=mode, down=down, names=names)
        world = LivingWorld(tmp_path, config.model_copy(update={"health": Health(answers=1, timeout=5)}))
        world.engine.silent = not names
        await world.begin()
        world.publish("0001")
        assert (await world.deploy()).state is State.LIVE
        for _ in range(ROUNDS):
            with world.orders():
                await explore(world, dice, story)
                await until_all_has_ended(world, story)
            await asyncio.sleep(QUIET_S)
            check(world)
        await check_that_work_goes_on(world)
        await world.stop()

    with structlog.testing.capture_logs() as logs, clock.showing(jumping(story)):
        try:
            virtual_time.run(history())
        except BaseException as error:
            error.add_note(f"history {number}: {'; '.join(story)}")
            raise
    defects = [line for line in logs if DEFECT in line["event"]]
    assert not defects, f"history {number}: {story}"


def jumping(story: list[str]) -> Callable[[], datetime]:
    """The time of day, which is another one as often as the story says."""
    return lambda: datetime.now(UTC) + timedelta(days=sum(CLOCK_JUMPS.get(said, 0) for said in story))


async def explore(world: LivingWorld, dice: random.Random, story: list[str]) -> None:
    """Some things happen, most of them before the one before has ended."""
    for _ in range(STEPS):
        is_up = world.is_up and not world.power.dead
        if said := await dice.choice(CHOICES if is_up else OUTSIDE)(world, dice):
            story.append(said)
        await asyncio.sleep(dice.choice(MOMENTS_S))
        if world.power.dead and dice.random() < 0.7:
            story.append("the killed orchestrator is started again")
            await world.restart()


async def until_all_has_ended(world: LivingWorld, story: list[str]) -> None:
    """Everything is there again. Then nothing is asked for, until all that was begun has ended."""
    story.append("everything is there again")
    world.mend()
    if world.power.dead:
        await world.restart()
    world.power.restore()
    async with asyncio.timeout(AT_REST_WITHIN_S):
        await world.until_idle()


async def check_that_work_goes_on(world: LivingWorld) -> None:
    """Whatever happened before: a later deployment goes live, and a rollback after it, too."""
    for _ in range(2):
        world.publish()
        ended = await world.deploy()
        assert ended.state is State.LIVE, ended.failure
    await asyncio.sleep(QUIET_S)
    check(world)
    back = await (rolled_back_by_the_restore(world) if world.engine.silent else world.roll_back())
    assert back.state is State.LIVE, back.failure
    await asyncio.sleep(QUIET_S)
    check(world)


async def rolled_back_by_the_restore(world: LivingWorld) -> Deployment:
    """Of an app that reports no revisions, each release may need a schema of its own: a rollback is refused, and names
    the restore to run instead."""
    active = world.context.active
    assert active is not None
    with pytest.raises(Refused, match="is kept in a new backup") as refused:
        await world.roll_back()
    assert f"--restore {active.backup}" in refused.value.remedy
    record = await world.scheduler.restore(APP, active.backup, by="test", kind=Kind.ROLLBACK)
    return await world.until_ended(record.id)


def check(world: LivingWorld) -> None:
    wrong = [*world.wrong, *what_is_wrong_at_rest(world)]
    assert not wrong, wrong


def what_is_wrong_at_rest(world: LivingWorld) -> Iterator[str]:
    yield from _history(world)
    yield from _locks(world)
    yield from _data(world)
    yield from _containers(world)
    if active := world.context.active:
        yield from _traffic(world, active)
    elif APP in world.proxy.running:
        yield "no release is live, and requests are routed"
    if standby := world.context.standby:
        yield from _standby(world, standby)


def _history(world: LivingWorld) -> Iterator[str]:
    """Each deployment has its end, with a reason if it failed, and its end was told."""
    deployments = world.journal.deployments(APP, limit=1000)
    told = {one.deployment for one in world.journal.events(limit=100_000) if one.kind in ENDS}
    for one in deployments:
        if not one.state.ended or one.ended_at is None:
            yield f"{one.id} has not ended: {one.state}"
        if one.state is State.FAILED and one.failure is None:
            yield f"{one.id} failed without a reason"
        if one.id not in told and one.state is not State.ROLLED_BACK:
            yield f"nobody was told that {one.id} is {one.state}"
        yield from (f"{one.id}: {step.name} runs" for step in one.steps if step.state is StepState.RUNNING)
    told_live = [one.deployment for one in world.journal.events(limit=100_000) if one.kind in WENT_LIVE]
    newest = world.recorded(told_live[-1]) if told_live and told_live[-1] not in world.gone else None
    active = world.context.active
    if newest and (active is None or newest.container != active.container):
        yield f"{newest.id} is called live, and {active.id if active else 'nothing'} is active"


def _locks(world: LivingWorld) -> Iterator[str]:
    lane, context = world.scheduler.lane_of(APP), world.context
    locks = {"data_turn": context.data_turn, "standby_turn": context.standby_turn, "turn": lane.turn}
    yield from (f"{name} is locked" for name, lock in (locks | {"asking": lane.asking}).items() if lock.locked())
    if lane.running or lane.waiting or lane.doing:
        yield f"something is under way: {lane.doing}"
    if problem := world.recovery.problem(APP):
        yield f"not recovered: {problem}"


def _data(world: LivingWorld) -> Iterator[str]:
    """The journal knows the schema, and no row that was acknowledged is lost, unless a person restored a backup."""
    runs = world.journal.migrations(APP)
    yield from (f"run {run.id} of {run.deployment} runs" for run in runs if run.outcome is Outcome.RUNNING)
    has = world.engine.data_of(APP)
    known = [one.revision for one in applied(runs)]
    is_excused = (
        world.engine.silent or world.is_half_removed or world.journal.unsettled(APP) or not world.context.active
    )
    if known != has.schema and not is_excused:
        yield f"the data has {has.schema}, and the journal says {known}"
    restored = [one for one in world.journal.deployments(APP, limit=1000) if one.ref and one.kind is not Kind.DEPLOY]
    if not any(one.live_at for one in restored) and (lost := world.acknowledged - has.rows):
        yield f"lost: {sorted(lost)[:5]}"


def _containers(world: LivingWorld) -> Iterator[str]:
    """Nothing is left beside the active container and the standby."""
    if sidecars := world.engine.sidecars():
        yield f"sidecars are left: {sidecars}"
    kept = {one.container for one in (world.context.active, world.context.standby) if one}
    strays = world.engine.app_containers() - kept
    if not world.context.config.update.rollback.auto_rollback_on_failure:
        strays = {one for one in strays if world.engine.running[one].running}  # kept, to be examined
    if strays:
        yield f"containers are left: {strays}"
    if left := list((world.folder / "work").glob("*")):
        yield f"sources are left: {left}"


def _traffic(world: LivingWorld, active: Deployment) -> Iterator[str]:
    """The active release answers, or it is on record what stands in its way."""
    route, container = world.proxy.route(APP), world.engine.running.get(active.container)
    if world.proxy.waiting:
        yield "requests wait for ever"
    if route.failed_over:
        yield "the standby has the traffic for ever"
    if world.proxy.files.get(APP) is not active.colour or route.active is not active.colour:
        yield f"{active.colour} is active, and the proxy routes to {world.proxy.files.get(APP)}, {route.active}"
    if world.engine.at(world.proxy.running[APP].address) != active.container:
        yield f"{world.engine.at(world.proxy.running[APP].address) or 'nobody'} answers instead of {active.container}"
    if container is None or not container.restarts_by_itself:
        yield f"{active.container} is not kept running: {container}"
    if not world.engine.can_run(active.container) and not world.journal.unsettled(APP):
        yield f"{active.container} cannot serve: {container}, {world.engine.data_of(APP).schema}"


def _standby(world: LivingWorld, standby: Deployment) -> Iterator[str]:
    """It is kept as the configuration says; stopped, if it cannot run on the data, or could not be paused."""
    container = world.engine.running.get(standby.container)
    if container is None:
        return  # a person has removed it
    mode = world.context.config.standby
    fits = migrations.needed_by(world.context, standby).is_empty
    is_now = "paused" if container.paused else "warm" if container.running else "stopped"
    may_be = {mode if fits else "stopped"} | (
        {"stopped"} if world.context.not_paused.why_of(standby.container) else set()
    )
    if is_now not in may_be:
        yield f"the standby {standby.container} is {is_now}, and must be {may_be}"
    is_restarted = container.restarts_by_itself and standby.container not in world.engine.stopped_by_hand
    if is_restarted and is_now != "warm":
        yield f"the standby {standby.container} is {is_now}, and is restarted by the engine"

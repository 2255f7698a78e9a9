"""What was read before something was waited for may not be so any more when it is acted upon."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.config.app_schema import App
from orchestrator.domain.changelog import Changelog
from orchestrator.domain.deployment import Deployment, Kind, State, StepName
from orchestrator.domain.update import Update
from orchestrator.errors import EngineError, JournalError, Refused
from orchestrator.recovery import resume
from orchestrator.updates.self_install import SelfInstall
from tests.support import virtual_time
from tests.support.fakes.stories import app, assert_whole, live
from tests.support.fakes.world import APP, World

DRAINED_IN_S = 5


@pytest.fixture
def world(tmp_path: Path) -> World:
    """It takes a tenth of a second until a candidate is found ready, and longer until the release before is drained."""
    sections = {"health": {"answers": 10, "timeout": 5}, "drain": {"timeout": DRAINED_IN_S}}
    return World(tmp_path, App.model_validate(app().model_dump(exclude_defaults=True) | sections))


async def _ask(world: World) -> Deployment:
    return await world.scheduler.request(APP, ref="", by="test")


async def _not_retired(world: World) -> None:
    """A process ended before it had retired what a deployment has left; there is a newer release by now."""
    await live(world, "0001")
    world.publish("0002")
    world.proxy.open_sessions = 1
    await world.until_step(await _ask(world), StepName.RETIRE)
    await world.new_process()
    world.publish()


async def _ended(world: World, asked: Deployment) -> Deployment:
    await world.until_ended(asked.id)
    await world.at_rest()
    return world.journal.deployment(asked.id)


@pytest.mark.parametrize("more_s", [0.13, 0.15, 0.17, 0.19, 0.21])
def test_new_work_keeps_its_container_when_recovery_goes_on_beside_it(world: World, more_s: float) -> None:
    """It retired what the process before had left, and removed each container that had no traffic yet."""

    async def story() -> Deployment:
        await _not_retired(world)
        await world.recovery.recover_all()
        world.engine.build_s = DRAINED_IN_S + more_s
        asked = await _ask(world)
        await asyncio.sleep(0)
        world.proxy.open_sessions = 1
        await world.recovery.go_on()
        assert not world.recovery.problem(APP)
        return await _ended(world, asked)

    ended = virtual_time.run(story())
    assert ended.state is State.LIVE, ended.failure
    assert_whole(world, "after a deployment")


@pytest.mark.parametrize("more_s", [0.13, 0.15, 0.17, 0.19, 0.21])
def test_new_work_keeps_its_container_when_an_app_was_not_brought_back(
    world: World, more_s: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_context: AppContext) -> None:
        await asyncio.sleep(1)
        raise EngineError("The engine does not answer.", "Start it.")

    async def story() -> Deployment:
        await _not_retired(world)
        with monkeypatch.context() as patched:
            patched.setattr(resume, "bring_back", away)
            recovering = asyncio.create_task(world.recovery.recover_all())
            await asyncio.sleep(0.5)
            world.recovery._may_go_on = True
            world.engine.build_s = DRAINED_IN_S + more_s
            world.proxy.open_sessions = 1
            asked = await _ask(world)
            await recovering
        ended = await _ended(world, asked)
        await world.recover_the_rest()
        return ended

    ended = virtual_time.run(story())
    assert ended.state is State.LIVE, ended.failure
    assert_whole(world, "after a deployment")


def test_what_was_not_retired_is_retired_after_new_work_has_failed(world: World) -> None:
    async def story() -> Deployment:
        await _not_retired(world)
        await world.recovery.recover_all()
        world.engine.failing.add("build")
        asked = await _ask(world)
        await asyncio.sleep(0)
        await world.recovery.go_on()
        return await _ended(world, asked)

    assert virtual_time.run(story()).state is State.FAILED
    assert_whole(world, "after a deployment that failed")


def test_a_rollback_does_not_wait_for_a_deployment_that_is_about_to_begin(world: World) -> None:
    """It waited for its whole run, and took back what nobody had seen when the rollback was asked for."""

    async def story() -> Deployment:
        await live(world, "0001")
        await live(world)
        world.publish()
        turn = world.scheduler.lane_of(APP).turn
        await turn.acquire()
        asked = await _ask(world)
        await asyncio.sleep(1)
        turn.release()
        with pytest.raises(Refused, match=f"deployment {asked.id} is queued"):
            await world.scheduler.roll_back(APP, by="test")
        return await _ended(world, asked)

    assert virtual_time.run(story()).state is State.LIVE


def test_a_restore_that_waits_for_recovery_comes_before_a_deployment_that_was_asked_for_later(world: World) -> None:
    """It let the deployment go first, and replaced the data below the release that this had brought."""

    async def story() -> list[Deployment]:
        await live(world, "0001")
        await live(world)
        world.publish()
        backup = next(iter(world.engine.backups[APP]))
        turn = world.scheduler.lane_of(APP).turn
        await turn.acquire()
        restoring = asyncio.create_task(world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE))
        await asyncio.sleep(1)
        await _ask(world)
        await asyncio.sleep(1)
        turn.release()
        await restoring
        await world.at_rest()
        return world.journal.deployments(APP)[:2]

    last, first = sorted(virtual_time.run(story()), key=lambda one: one.live_at or one.requested_at, reverse=True)
    assert [first.kind, last.kind] == [Kind.RESTORE, Kind.DEPLOY]
    assert last.state is State.LIVE


@pytest.mark.parametrize("recovers", [True, False])
def test_an_update_that_installs_itself_is_not_asked_for_after_what_a_person_has_asked_for(
    world: World, recovers: bool
) -> None:
    """While the app was recovered, both waited: the machine's request came last, and superseded the person's."""

    async def story() -> list[Deployment]:
        await live(world, "0001")
        world.config = App.model_validate(
            world.config.model_dump(exclude_defaults=True) | {"update": {"auto_update": True}}
        )
        world.configure()
        older, newest = world.source.publish(schema="0001"), world.source.publish(schema="0001")
        lane = world.scheduler.lane_of(APP)
        if recovers:
            lane.recovered.clear()
        person = asyncio.create_task(world.scheduler.request(APP, ref=older.source_revision, by="me"))
        update = Update(newest, Changelog(), None, now(), "origin")
        installs = SelfInstall(world.journal, world.scheduler, now)
        machine = asyncio.create_task(installs.install_if_wanted(world.context, update))
        await asyncio.sleep(1 if recovers else 0)
        lane.recovered.set()
        with pytest.raises(Refused, match="asked for something else"):
            await machine
        await world.until_ended((await person).id)
        await world.at_rest()
        return world.journal.deployments(APP)

    newest, *_ = virtual_time.run(story())
    assert (newest.state, newest.requested_by) == (State.LIVE, "me")


def test_a_deployment_begins_although_the_journal_cannot_be_asked_at_that_moment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The task that begins what is queued ended, and nothing of the app began any more."""

    def away(_id: str) -> Deployment:
        raise JournalError("The journal's database does not answer.", "Start it.")

    async def story() -> Deployment:
        world.publish("0001")
        turn = world.scheduler.lane_of(APP).turn
        await turn.acquire()
        asked = await _ask(world)
        await asyncio.sleep(1)
        with monkeypatch.context() as patched:
            patched.setattr(world.journal, "deployment", away)
            turn.release()
            for _ in range(3):
                await asyncio.sleep(0)
        return await _ended(world, asked)

    assert virtual_time.run(story()).state is State.LIVE

"""Who comes next, who is superseded, who may be cancelled, and what a stop leaves."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from orchestrator.config.app_schema import App
from orchestrator.deploy.switch_outcome import is_being_undone
from orchestrator.domain.deployment import Deployment, Interrupter, Kind, State, StepName
from orchestrator.domain.events import EventKind
from orchestrator.errors import Refused, UnknownApp
from orchestrator.host.uninterrupted import in_spite_of_cancels
from tests.support import virtual_time
from tests.support.fakes.world import APP, POLL_S, World

LONG_S = 60.0


async def request(world: World, key: str | None = None) -> Deployment:
    return await world.scheduler.request(APP, ref="", by="test", idempotency_key=key)


async def live(world: World) -> Deployment:
    world.publish("0001")
    ended = await world.deploy()
    assert ended.state is State.LIVE, ended.failure
    return ended


def test_of_several_that_wait_the_newest_is_deployed_and_the_others_are_superseded(world: World) -> None:
    async def story() -> list[State]:
        world.publish("0001")
        world.engine.build_s = LONG_S
        running = await request(world)
        await world.until_step(running, StepName.BUILD)
        waiting = [await request(world) for _ in range(3)]
        return [(await world.until_ended(one.id)).state for one in (running, *waiting)]

    assert virtual_time.run(story()) == [State.LIVE, State.SUPERSEDED, State.SUPERSEDED, State.UNCHANGED]


def test_the_same_key_gives_the_same_deployment(world: World) -> None:
    async def story() -> tuple[str, str]:
        world.publish()
        first, again = await request(world, "push-1"), await request(world, "push-1")
        await world.until_ended(first.id)
        return first.id, again.id

    first, again = virtual_time.run(story())
    assert first == again


def test_a_request_for_an_app_that_is_not_configured_is_refused_and_leaves_no_trace(world: World) -> None:
    def unknown(app: str) -> None:
        raise UnknownApp(f"No app '{app}' is configured.")

    async def story() -> None:
        world.scheduler._context = unknown  # type: ignore[assignment]
        with pytest.raises(UnknownApp):
            await request(world)

    virtual_time.run(story())
    assert world.journal.deployments(APP) == []


def test_a_cancelled_deployment_is_undone_and_the_old_release_serves_on(world: World) -> None:
    async def story() -> tuple[Deployment, Deployment | None]:
        before = await live(world)
        world.publish()
        world.engine.build_s = LONG_S
        asked = await request(world)
        await world.until_step(asked, StepName.BUILD)
        await world.scheduler.cancel(asked.id)
        ended = await world.until_ended(asked.id)
        assert world.context.active == world.journal.deployment(before.id)
        return ended, world.scheduler.busy_with(APP)

    ended, busy = virtual_time.run(story())
    assert (ended.state, ended.interrupted_by) == (State.CANCELLED, Interrupter.PERSON)
    assert ended.failure is not None
    assert ended.failure.step is StepName.BUILD
    assert busy is None
    assert not list((world.folder / "work").glob("*"))


def test_who_cancels_what_is_being_undone_is_told_so_and_changes_nothing(world: World) -> None:
    """The answer was that it is being cancelled, and it ended as failed."""

    async def story() -> Deployment:
        await live(world)
        world.publish("0002")
        world.engine.half_way.add("0002")
        world.engine.sidecar_s = lambda: LONG_S
        asked = await request(world)
        while not is_being_undone(world.journal.deployment(asked.id)):  # noqa: ASYNC110 (the time of this test is virtual)
            await asyncio.sleep(POLL_S)
        with pytest.raises(Refused, match="has failed, and what it did is being undone"):
            await world.scheduler.cancel(asked.id)
        with pytest.raises(Refused) as refused:
            await world.scheduler.roll_back(APP, by="me")
        assert "being undone" in refused.value.remedy
        assert "cancel" not in refused.value.remedy
        return await world.until_ended(asked.id)

    ended = virtual_time.run(story())
    assert (ended.state, ended.interrupted_by) == (State.FAILED, None)


def test_one_that_waits_is_cancelled_without_touching_the_one_under_way(world: World) -> None:
    async def story() -> tuple[State, State]:
        world.publish()
        world.engine.build_s = LONG_S
        running = await request(world)
        await world.until_step(running, StepName.BUILD)
        waiting = await request(world)
        cancelled = await world.scheduler.cancel(waiting.id)
        assert cancelled.interrupted_by is Interrupter.PERSON
        return cancelled.state, (await world.until_ended(running.id)).state

    assert virtual_time.run(story()) == (State.CANCELLED, State.LIVE)


def test_what_has_ended_cannot_be_cancelled_and_it_is_said_what_can_be_done(world: World) -> None:
    async def story() -> None:
        ended = await live(world)
        with pytest.raises(Refused, match="it has ended as live") as refused:
            await world.scheduler.cancel(ended.id)
        assert refused.value.remedy.endswith(f"changeover rollback {ended.app}")
        world.publish("0002")
        world.engine.build_s = LONG_S
        cancelled = await request(world)
        await world.until_step(cancelled, StepName.BUILD)
        await world.scheduler.cancel(cancelled.id)
        await world.until_ended(cancelled.id)
        with pytest.raises(Refused, match="it has ended as cancelled") as refused:
            await world.scheduler.cancel(cancelled.id)
        assert refused.value.remedy.endswith(f"changeover show {cancelled.id}")

    virtual_time.run(story())


def test_a_rollback_and_a_restore_are_refused_while_a_deployment_is_under_way_with_who_asked_for_it(
    world: World,
) -> None:
    async def story() -> None:
        await live(world)
        world.publish()
        world.engine.build_s = LONG_S
        asked = await request(world)
        await world.until_step(asked, StepName.BUILD)
        with pytest.raises(Refused, match=rf"Deployment {asked.id} of {APP} is running, requested at .* by test"):
            await world.scheduler.roll_back(APP, by="me")
        with pytest.raises(Refused, match=asked.id):
            await world.scheduler.restore(APP, "a backup", by="me", kind=Kind.RESTORE)
        await world.until_ended(asked.id)

    virtual_time.run(story())


def test_a_rollback_goes_before_a_deployment_that_waits_for_draining(world: World) -> None:
    async def story() -> tuple[list[Kind], Deployment]:
        await live(world)
        world.publish()
        second = await world.deploy()
        world.publish()
        world.proxy.open_sessions = 1
        third = await request(world)
        await world.until_step(third, StepName.RETIRE)
        waiting = await request(world)
        record = await world.scheduler.roll_back(APP, by="me")
        await world.until_ended(waiting.id)
        live_now = [one.kind for one in world.journal.deployments(APP)][:2]
        assert record.version == second.version
        return live_now, record

    kinds, record = virtual_time.run(story())
    assert set(kinds) == {Kind.ROLLBACK, Kind.DEPLOY}
    assert record.state is State.LIVE


def test_a_stop_undoes_what_is_under_way_and_leaves_what_waits_for_the_next_start(world: World) -> None:
    async def story() -> tuple[State, State, State]:
        await live(world)
        world.publish()
        world.engine.build_s = LONG_S
        running = await request(world)
        await world.until_step(running, StepName.BUILD)
        waiting = await request(world)
        await world.scheduler.stop()
        stopped = world.journal.deployment(running.id).state
        assert world.journal.deployment(running.id).interrupted_by is Interrupter.STOP
        failure = world.journal.deployment(running.id).failure
        assert failure is not None
        assert (failure.step, failure.cause) == (StepName.BUILD, "The orchestrator was stopped during build.")
        assert failure.tip == "Request it again."
        (build,) = (one for one in world.journal.deployment(running.id).steps if one.name is StepName.BUILD)
        assert build.note == "interrupted by a stop of the orchestrator"
        (told,) = (one for one in world.journal.events(deployment_id=running.id) if one.kind == EventKind.FAILED)
        assert told.fields == {"step": "build", "cause": failure.cause}
        left = world.journal.deployment(waiting.id).state
        world.engine.build_s = 0
        await world.restart()
        return stopped, left, world.journal.deployment(waiting.id).state

    assert virtual_time.run(story()) == (State.FAILED, State.QUEUED, State.LIVE)


def test_without_a_standby_a_rollback_is_refused(world: World) -> None:
    async def story() -> None:
        await live(world)
        with pytest.raises(Refused, match="no standby release"):
            await world.scheduler.roll_back(APP, by="me")

    virtual_time.run(story())


def test_a_rollback_to_a_standby_that_nobody_was_shown_is_refused(world: World) -> None:
    async def story() -> None:
        await live(world)
        world.publish()
        await world.deploy()
        shown = world.context.standby
        assert shown is not None
        world.publish()
        await world.deploy()
        with pytest.raises(Refused, match="is another one by now: v2"):
            await world.scheduler.roll_back(APP, by="me", shown=shown.container)

    virtual_time.run(story())


def test_a_restore_that_rolls_back_is_refused_too_where_rollback_is_off(tmp_path: Path) -> None:
    config = App.model_validate({"route": {"host": "shop.test"}, "update": {"rollback": {"enabled": False}}})

    async def story() -> None:
        await World(tmp_path, config).scheduler.restore(APP, "any", by="test", kind=Kind.ROLLBACK)

    with pytest.raises(Refused, match=r"update\.rollback\.enabled"):
        virtual_time.run(story())


def test_retiring_that_a_rollback_stopped_is_done_when_the_rollback_fails(world: World) -> None:
    async def story() -> tuple[Deployment, Deployment]:
        await live(world)
        world.publish()
        world.proxy.open_sessions = 1
        newest = await request(world)
        await world.until_step(newest, StepName.RETIRE)
        world.proxy.refuses_switch = True
        failed = await world.scheduler.roll_back(APP, by="test")
        world.proxy.refuses_switch, world.proxy.open_sessions = False, 0
        return failed, await world.until_ended(newest.id)

    failed, newest = virtual_time.run(story())
    assert failed.state is State.FAILED
    assert newest.state is State.LIVE
    assert newest.ended_at is not None


@pytest.mark.parametrize("turns", range(12))
def test_a_request_that_is_cancelled_is_carried_out_or_leaves_no_trace(world: World, turns: int) -> None:
    """As that of an update check, which a changed configuration drops: it stayed queued, and nothing began it."""

    async def story() -> list[State]:
        world.publish("0001")
        asking = asyncio.create_task(request(world))
        for _ in range(turns):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        await asyncio.sleep(LONG_S)
        return [one.state for one in world.journal.deployments(APP)]

    assert virtual_time.run(story()) in ([], [State.LIVE])


@pytest.mark.parametrize("turns", range(12))
def test_what_is_recorded_as_cancelled_does_not_begin_although_its_cancel_is_cancelled(
    world: World, turns: int
) -> None:
    async def story() -> tuple[State, Deployment | None]:
        world.publish("0001")
        world.engine.build_s = LONG_S
        running = await request(world)
        await world.until_step(running, StepName.BUILD)
        waiting = await request(world)
        cancelling = asyncio.create_task(world.scheduler.cancel(waiting.id))
        for _ in range(turns):
            await asyncio.sleep(0)
        cancelling.cancel()
        await asyncio.wait([cancelling])
        return world.journal.deployment(waiting.id).state, world.scheduler._lane(APP).waiting

    state, waiting = virtual_time.run(story())
    assert (state is State.QUEUED) == (waiting is not None)


def test_a_stop_ends_the_work_of_all_apps_at_the_same_time(world: World) -> None:
    """The engine kills an orchestrator that takes too long; the last app was told when the first one was undone."""

    async def takes_a_while_to_end() -> Any:
        try:
            await asyncio.sleep(LONG_S)
        finally:
            await in_spite_of_cancels(asyncio.sleep(10))

    async def story() -> float:
        for app in ("blog", "shop", "wiki"):
            world.scheduler._lane(app).work = asyncio.create_task(takes_a_while_to_end())
        await asyncio.sleep(0)
        began = asyncio.get_running_loop().time()
        await world.scheduler.stop()
        return asyncio.get_running_loop().time() - began

    assert virtual_time.run(story()) < 15


@pytest.mark.parametrize("what", ["a newer request", "a cancel"])
@pytest.mark.parametrize("steps", range(12))
def test_what_waits_may_begin_at_any_step_of_what_ends_it(world: World, what: str, steps: int) -> None:
    """It began in between, and the newer request failed, was on record as queued, and was begun by nobody."""

    async def story() -> list[Deployment]:
        world.publish("0001")
        await world.scheduler.lane_of(APP).turn.acquire()
        first = await request(world)
        asked = request(world) if what == "a newer request" else world.scheduler.cancel(first.id)
        ending = asyncio.create_task(asked)
        for _ in range(steps):
            await asyncio.sleep(0)
        world.scheduler.lane_of(APP).turn.release()
        await ending
        await world.at_rest()
        return world.journal.deployments(APP)

    newest, *older = virtual_time.run(story())
    if what == "a newer request":
        assert newest.state in (State.LIVE, State.UNCHANGED)
        assert [one.state for one in older] in ([State.SUPERSEDED], [State.LIVE])
    else:
        assert newest.state is State.CANCELLED

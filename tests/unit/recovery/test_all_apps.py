"""An app is recovered once, before anything new begins for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.deploy import pause_by_hand
from orchestrator.domain.deployment import Deployment, Kind, Slots, State, StepName, StepState
from orchestrator.domain.schema_history import Direction, Outcome, applied
from orchestrator.engine.base import ContainerEvent, ContainerSpec, Placed, Role
from orchestrator.errors import EngineError, Refused
from orchestrator.recovery import resume
from orchestrator.recovery.all_apps import AGAIN_AFTER_S, BRING_BACK_WITHIN_S, LOOK_EVERY_S, PATIENCE_S, Recovery
from tests.support import virtual_time
from tests.support.fakes.power import Killed
from tests.support.fakes.stories import STORIES, assert_whole
from tests.support.fakes.world import APP, World

WRITTEN = "an order of after the requests were resumed"
AWAY = EngineError("The engine does not answer.", "Start it.")


class Failing:
    """Fails the first times, and then does what it stands for."""

    def __init__(self, times: int, real: object) -> None:
        self.times = times
        self.calls = 0
        self._real = real

    async def __call__(self, *arguments: object) -> object:
        self.calls += 1
        if self.calls <= self.times:
            raise AWAY
        return await self._real(*arguments)  # type: ignore[operator]


async def _killed_at_a_switch(folder: Path) -> World:
    """A world whose process ended in the middle of a deployment with paused requests."""
    config, before, act = STORIES["an incompatible migration"]
    world = World(folder, config)
    await before(world)
    world.power.operations = []
    world.power.cut_at(12, after=True)
    with suppress(Killed):
        await act(world)
    return world


def test_an_app_that_is_not_recovered_takes_no_work_and_goes_on_when_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = Failing(2, resume.finish_interrupted)
    monkeypatch.setattr(resume, "finish_interrupted", finish)

    async def story() -> None:
        world = await _killed_at_a_switch(tmp_path)
        await world.new_process()
        await world.recovery.recover_all()
        await world.recovery.go_on()
        assert AWAY.cause in world.recovery.problem(APP)
        with pytest.raises(Refused, match="is not recovered yet"):
            await world.scheduler.request(APP, ref="", by="me")
        with pytest.raises(Refused, match="is not recovered yet"):
            await world.scheduler.roll_back(APP, by="me")
        with pytest.raises(Refused, match="is not recovered yet"):
            await world.scheduler.restore(APP, "any", by="me", kind=Kind.RESTORE)

        await world.recover_the_rest()
        await world.at_rest()
        assert world.recovery.problem(APP) == ""
        assert finish.calls == 3
        assert_whole(world, "after recovery")
        assert (await world.deploy()).state is State.LIVE

    virtual_time.run(story())


def test_an_app_whose_container_the_engine_started_is_tried_again_soon_however_long_the_pauses_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_back = Failing(6, resume.bring_back)
    monkeypatch.setattr(resume, "bring_back", bring_back)

    async def story() -> None:
        config, before, _ = STORIES["a deployment"]
        world = World(tmp_path, config)
        await before(world)
        await world.new_process()
        await world.recovery.recover_all()
        trying = asyncio.create_task(world.recovery.recover_the_rest())
        await asyncio.sleep(200)
        assert bring_back.calls == 6

        active = world.context.active
        assert active is not None
        world.recovery.heard(ContainerEvent("start", APP, Role.APP, active.container))
        await asyncio.sleep(AGAIN_AFTER_S)
        assert world.recovery.problem(APP) == ""
        await trying

    virtual_time.run(story())


def test_what_cannot_be_brought_back_is_mended_by_a_new_deployment_that_no_retry_undoes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = Failing(0, resume.finish_interrupted)
    monkeypatch.setattr(resume, "finish_interrupted", finish)
    monkeypatch.setattr(resume, "bring_back", Failing(3, resume.bring_back))

    async def story() -> None:
        world = await _killed_at_a_switch(tmp_path)
        await world.new_process()
        await world.recovery.recover_all()
        await world.recovery.go_on()
        assert AWAY.cause in world.recovery.problem(APP)

        mended = await world.deploy()
        await world.recover_the_rest()
        await world.at_rest()
        active = world.context.active
        assert active is not None
        assert (active.id, active.state) == (mended.id, State.LIVE)
        assert finish.calls == 1
        assert_whole(world, "after recovery")

    virtual_time.run(story())


def test_requests_that_new_work_pauses_are_not_resumed_by_a_second_pass_of_the_start(tmp_path: Path) -> None:
    config, before, _ = STORIES["an incompatible migration"]

    async def story() -> None:
        world = World(tmp_path, config)
        await before(world)
        await world.new_process()
        await world.recovery.recover_all()
        await world.recovery.go_on()
        asked = await world.scheduler.request(APP, ref="", by="me")
        await world.until_step(asked, StepName.BUILD)
        await world.proxy.pause(APP, 60)
        await world.recovery.recover_all()
        await world.recovery.go_on()
        assert await world.proxy.paused() == {APP}
        await world.scheduler.stop()

    virtual_time.run(story())


def test_an_app_whose_requests_cannot_be_resumed_at_once_is_tried_again_until_its_queue_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resume, "finish_interrupted", Failing(1, resume.finish_interrupted))

    async def story() -> None:
        world = await _killed_at_a_switch(tmp_path)
        await world.new_process()
        queued = world.queue_without_running()
        await world.recovery.recover_all()
        await world.recovery.go_on()
        monkeypatch.setattr(world.proxy, "paused", Failing(1, world.proxy.paused))
        await world.recover_the_rest()
        assert (await world.until_ended(queued.id)).state is State.LIVE
        assert world.recovery.problem(APP) == ""

    virtual_time.run(story())


def test_what_was_queued_before_does_not_supersede_a_newer_request(tmp_path: Path) -> None:
    async def story() -> None:
        world = await _killed_at_a_switch(tmp_path)
        await world.new_process()
        old = world.queue_without_running()
        await world.recovery.recover_all()
        new = await world.scheduler.request(APP, ref="", by="me")
        await world.recovery.go_on()
        assert (await world.until_ended(new.id)).state is State.LIVE
        assert world.journal.deployment(old.id).state is State.SUPERSEDED

    virtual_time.run(story())


def test_an_app_that_never_gets_ready_and_one_with_a_defect_keep_no_other_app_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def bring_back(context: AppContext) -> None:
        if context.name == "never-ready":
            await asyncio.Event().wait()
        if context.name == "defect":
            raise KeyError("a defect")

    monkeypatch.setattr(resume, "bring_back", bring_back)

    async def story() -> None:
        world = World(tmp_path, STORIES["a deployment"][0])
        contexts = [replace(world.context, name=name) for name in ("never-ready", "defect", APP)]
        brought_back: list[str] = []
        recovery = Recovery(lambda: contexts, world.proxy, world.events, world.scheduler, brought_back.append)
        began = asyncio.get_running_loop().time()

        await recovery.recover_all()
        await recovery.go_on()

        assert asyncio.get_running_loop().time() - began <= PATIENCE_S + 1
        assert brought_back == [APP]
        assert recovery.problem(APP) == ""
        assert "being recovered" in recovery.problem("never-ready")
        assert "Unexpected KeyError" in recovery.problem("defect")
        world.publish("0001")
        assert (await world.deploy()).state is State.LIVE
        await asyncio.sleep(BRING_BACK_WITHIN_S)
        assert "was not ready within 600 s" in recovery.problem("never-ready")
        await recovery.stop()

    virtual_time.run(story())


def test_an_app_that_is_configured_again_later_is_recovered_before_it_takes_work(tmp_path: Path) -> None:
    async def story() -> None:
        world = await _killed_at_a_switch(tmp_path)
        await world.new_process()
        configured: list[AppContext] = []
        recovery = Recovery(lambda: configured, world.proxy, world.events, world.scheduler, lambda _app: None)
        await recovery.recover_all()
        await recovery.go_on()
        assert world.journal.unfinished()

        configured.append(world.context)
        recovery.expect()
        world.publish()
        early = asyncio.create_task(world.scheduler.request(APP, ref="", by="me"))
        await asyncio.sleep(0.1)
        assert not early.done()
        recovery.configured()
        assert (await world.until_ended((await early).id)).state is State.LIVE
        await world.at_rest()
        assert recovery.problem(APP) == ""
        assert_whole(world, "after recovery")
        assert (await world.deploy(force=True)).state is State.LIVE

    virtual_time.run(story())


ASKED: dict[str, Callable[[Recovery, World], object]] = {
    "the status": lambda recovery, _: recovery.problem(APP),
    "the doctor": lambda recovery, world: recovery.concerns(world.journal.deployments(APP)[0]),
    "the start": lambda recovery, _: recovery.is_finished(APP),
}


@pytest.mark.parametrize("who", ASKED)
def test_an_app_that_somebody_asks_about_before_the_proxy_has_its_route_is_recovered(tmp_path: Path, who: str) -> None:
    """The panel asks for the status all the time. The app refused all work then until the next start."""

    async def story() -> None:
        world = await _killed_at_a_switch(tmp_path)
        await world.new_process()
        configured: list[AppContext] = []
        recovery = Recovery(lambda: configured, world.proxy, world.events, world.scheduler, lambda _app: None)
        await recovery.recover_all()
        await recovery.go_on()

        configured.append(world.context)
        recovery.expect()
        ASKED[who](recovery, world)
        recovery.configured()

        world.publish()
        assert (await world.deploy()).state is State.LIVE
        await world.at_rest()
        assert_whole(world, "after recovery")

    virtual_time.run(story())


def test_an_app_that_is_new_takes_work_at_once(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, STORIES["a deployment"][0])
        configured: list[AppContext] = []
        recovery = Recovery(lambda: configured, world.proxy, world.events, world.scheduler, lambda _app: None)
        await recovery.recover_all()
        await recovery.go_on()
        configured.append(world.context)
        recovery.expect()
        recovery.configured()
        world.publish("0001")
        assert (await world.deploy()).state is State.LIVE

    virtual_time.run(story())


def test_what_was_queued_and_did_not_begin_is_superseded_by_what_has_ended_since(tmp_path: Path) -> None:
    async def story() -> None:
        world = World(tmp_path, STORIES["a deployment"][0])
        world.publish("0001")
        old = world.journal.add(Deployment("old", APP, Kind.DEPLOY, State.QUEUED, "test", now()), "the key")
        newer = await world.deploy()
        assert newer.state is State.LIVE

        again = await world.scheduler.request(APP, ref="", by="test", idempotency_key="the key")

        assert (again.id, again.state) == (old.id, State.SUPERSEDED)
        await world.at_rest()
        assert_whole(world, "after the retry")

    virtual_time.run(story())


def test_recovery_does_not_run_beside_retiring(tmp_path: Path) -> None:
    async def story() -> None:
        config, before, _ = STORIES["a deployment with a standby"]
        world = World(tmp_path, config)
        await before(world)
        world.proxy.open_sessions = 1
        world.publish()
        asked = await world.scheduler.request(APP, ref="", by="me")
        while world.scheduler.doing(APP) != "its old colour is being retired":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        async with world.scheduler.turn_of(APP):
            assert world.scheduler.doing(APP) == "it is being rolled back, restored or recovered"
            assert world.journal.deployment(asked.id).ended_at is not None

    virtual_time.run(story())


@pytest.mark.parametrize("told", [True, False])
def test_an_active_container_that_somebody_removes_is_created_again_by_itself(tmp_path: Path, told: bool) -> None:
    """At once when the engine tells of it; otherwise at the next look."""

    async def story() -> None:
        config, before, _ = STORIES["a rollback to a warm standby"]
        world = World(tmp_path, config)
        await before(world)
        await world.restart()
        active = world.context.active
        assert active is not None
        keeping = asyncio.create_task(world.recovery.keep_looking())

        await asyncio.sleep(1)
        del world.engine.running[active.container]
        if told:
            world.recovery.heard(ContainerEvent("destroy", APP, Role.APP, active.container))
        await asyncio.sleep(LOOK_EVERY_S / 4 if told else 2 * LOOK_EVERY_S)

        assert world.engine.can_run(active.container)
        assert world.recovery.problem(APP) == ""
        assert_whole(world, "after the removal")
        keeping.cancel()

    virtual_time.run(story())


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("by_hand", ["paused", "disconnected", "moved"])
def test_an_active_container_that_somebody_pauses_or_disconnects_is_brought_back_by_itself(
    tmp_path: Path, by_hand: str, told: bool
) -> None:
    """It stayed so for good, also after a restart of the orchestrator: `docker pause`, `docker network disconnect`."""

    async def story() -> None:
        config, before, _ = STORIES["a rollback to a warm standby"]
        world = World(tmp_path, config)
        await before(world)
        await world.restart()
        active = world.context.active
        assert active is not None
        keeping = asyncio.create_task(world.recovery.keep_looking())

        await asyncio.sleep(1)
        container = world.engine.running[active.container]
        container.paused = by_hand == "paused"
        container.moved_to = {"disconnected": "", "moved": "172.30.0.4"}.get(by_hand)
        if told and by_hand == "paused":
            world.recovery.heard(ContainerEvent("pause", APP, Role.APP, active.container))
        await asyncio.sleep(LOOK_EVERY_S / 4 if told and by_hand == "paused" else 2 * LOOK_EVERY_S)

        assert world.engine.can_run(active.container)
        assert world.engine.at(active.address) == active.container
        assert world.recovery.problem(APP) == ""
        assert_whole(world, "after it was brought back")
        keeping.cancel()

    virtual_time.run(story())


@pytest.mark.parametrize("by_hand", ["paused", "disconnected"])
def test_a_start_finds_an_active_container_out_of_its_place(tmp_path: Path, by_hand: str) -> None:
    async def story() -> None:
        config, before, _ = STORIES["a deployment"]
        world = World(tmp_path, config)
        await before(world)
        active = world.context.active
        assert active is not None
        container = world.engine.running[active.container]
        container.paused, container.moved_to = by_hand == "paused", "" if by_hand == "disconnected" else None
        await world.restart()
        assert world.engine.can_run(active.container)
        assert world.engine.at(active.address) == active.container

    virtual_time.run(story())


def test_an_active_container_that_somebody_removes_while_the_old_colour_is_retired_is_created_again_soon(
    tmp_path: Path,
) -> None:
    """Retiring was tried again for a minute, in which nothing brought the container back."""

    async def story() -> None:
        config, before, _ = STORIES["a deployment"]
        world = World(tmp_path, config)
        await before(world)
        await world.restart()
        looking = asyncio.create_task(world.recovery.keep_looking())

        def remove_it() -> None:
            active = world.context.active
            assert active is not None
            del world.engine.running[active.container]

        world.power.cut_at("no operation", after=True)
        assert (await world.deploy()).state is State.LIVE
        first_of_retiring = len(world.power.operations) - world.power.operations[::-1].index("end preview") - 1
        world.publish()
        world.power.interrupt_at(first_of_retiring, remove_it)
        asked = await world.scheduler.request(APP, ref="", by="me")

        await asyncio.sleep(2 * LOOK_EVERY_S)

        active = world.context.active
        assert active is not None
        assert (active.id, world.engine.can_run(active.container)) == (asked.id, True)
        await world.at_rest()
        assert_whole(world, "afterwards")
        looking.cancel()

    virtual_time.run(story())


def test_an_image_that_is_gone_is_told_with_the_command_that_builds_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> None:
        config, before, _ = STORIES["a deployment"]
        world = World(tmp_path, config)
        await before(world)
        active = world.context.active
        assert active is not None
        del world.engine.running[active.container]

        async def no_image(_spec: object) -> str:
            raise EngineError("Docker refused: No such image.")

        monkeypatch.setattr(world.engine, "start", no_image)
        await world.new_process()
        await world.recovery.recover_all()
        assert f"--ref {active.release.source_revision[:12]} --force" in world.recovery.problem(APP)  # type: ignore[union-attr]

    virtual_time.run(story())


def test_an_app_that_cannot_be_recovered_keeps_no_removed_container_of_another_app_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_back = resume.bring_back

    async def never_for_the_other(context: AppContext) -> None:
        if context.name == "broken":
            raise AWAY
        await bring_back(context)

    monkeypatch.setattr(resume, "bring_back", never_for_the_other)

    async def story() -> None:
        config, before, _ = STORIES["a deployment"]
        world = World(tmp_path, config)
        await before(world)
        await world.new_process()
        contexts = [replace(world.context, name="broken"), world.context]
        recovery = Recovery(lambda: contexts, world.proxy, world.events, world.scheduler, lambda _app: None)
        await recovery.recover_all()
        await recovery.go_on()
        active = world.context.active
        assert active is not None
        keeping = [asyncio.create_task(one()) for one in (recovery.keep_recovering, recovery.keep_looking)]

        del world.engine.running[active.container]
        await asyncio.sleep(3 * LOOK_EVERY_S)

        assert world.engine.can_run(active.container)
        assert AWAY.cause in recovery.problem("broken")
        for task in keeping:
            task.cancel()
        await recovery.stop()

    virtual_time.run(story())


def test_a_container_that_an_interrupted_recovery_has_created_is_restarted_by_the_engine_as_any_other(
    tmp_path: Path,
) -> None:
    """The next try found that it runs, and did nothing: a crash, or a restart of the host, was its end."""

    async def story() -> None:
        config, before, _ = STORIES["a deployment"]
        world = World(tmp_path, config)
        await before(world)
        active = world.context.active
        assert active is not None
        del world.engine.running[active.container]
        await world.new_process()
        world.power.cut_at("start", after=True)
        await world.recovery.recover_all()
        assert not world.engine.running[active.container].restarts_by_itself
        await world.restart()
        assert world.engine.running[active.container].restarts_by_itself

    virtual_time.run(story())


def test_a_migration_at_a_start_that_is_interrupted_again_and_again_is_on_record_with_its_end(tmp_path: Path) -> None:
    """Each try left one more run that was shown as running for ever."""

    async def story() -> None:
        config, before, _ = STORIES["a rollback with the data"]
        world = World(tmp_path, config)
        await before(world)
        older, newer = world.context.standby, world.context.active
        assert older is not None
        assert newer is not None
        world.journal.save_switch(APP, Slots(active=older.id, standby=newer.id))
        for after in (False, True, False):
            await world.new_process()
            world.power.cut_at("sidecar down 0001", after=after)
            await world.recovery.recover_all()
        await world.restart()
        runs = world.journal.migrations(APP)
        assert Outcome.RUNNING not in {run.outcome for run in runs}
        assert [one.revision for one in applied(runs)] == world.engine.data_of(APP).schema == ["0001"]

    virtual_time.run(story())


def test_a_switch_that_cannot_be_finished_at_the_next_start_runs_in_no_history(tmp_path: Path) -> None:
    async def story() -> None:
        config, before, act = STORIES["a deployment"]
        world = World(tmp_path, config)
        await before(world)
        world.power.cut_at("journal: switch started", after=True)
        with suppress(Killed):
            await act(world)
        world.engine.broken.add("v2")
        await world.restart()
        newest = world.journal.deployments(APP)[0]
        assert (newest.version, newest.state) == ("v2", State.FAILED)
        assert_whole(world, "killed in the switch")

    virtual_time.run(story())


def test_what_was_retired_when_it_was_killed_and_is_rolled_back_at_once_retires_in_no_history(tmp_path: Path) -> None:
    """The rollback came before it was retired again, and nothing recorded the end of the step."""

    async def story() -> None:
        config, before, act = STORIES["a deployment with a standby"]
        world = World(tmp_path, config)
        await before(world)
        world.power.cut_at("journal: retire started", after=True)
        with suppress(Killed):
            await act(world)
        await world.new_process()
        await world.recovery.recover_all()
        rolled_back = await world.roll_back()
        assert rolled_back.state is State.LIVE, rolled_back.failure
        await world.recovery.go_on()
        await world.at_rest()
        steps = [step for one in world.journal.deployments(APP) for step in one.steps]
        assert not [step for step in steps if step.state is StepState.RUNNING]

    virtual_time.run(story())


def test_an_old_run_whose_image_is_gone_keeps_no_app_away(tmp_path: Path) -> None:
    """What became of it was asked of a release that could not be started, at each try, for ever; the data was right."""

    async def story() -> None:
        config, before, _ = STORIES["an incompatible migration"]
        world = World(tmp_path, config)
        await before(world)
        active = world.context.active
        assert active is not None
        assert active.release is not None
        again = applied(world.journal.migrations(APP))
        world.journal.migration_started(APP, active.id, Direction.UP, again)
        world.engine.tags.discard(active.release.image.removeprefix("sha256:"))
        await world.restart()
        assert world.recovery.problem(APP) == ""
        assert Outcome.RUNNING not in {run.outcome for run in world.journal.migrations(APP)}

    virtual_time.run(story())


@pytest.mark.parametrize("name", ["an incompatible migration without a way down", "a restore"])
@pytest.mark.parametrize("moment", range(12, 60, 3))
def test_what_is_written_after_a_person_let_requests_go_while_recovery_fails_is_not_undone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, moment: int
) -> None:
    """They paused again, and the backup of before was put back: it was taken to have paused since it was made."""
    monkeypatch.setattr(resume, "finish_interrupted", Failing(1, resume.finish_interrupted))

    async def story() -> None:
        config, before, act = STORIES[name]
        world = World(tmp_path, config)
        await before(world)
        world.power.cut_at(moment, after=True)
        with suppress(Killed):
            await act(world)
        await world.new_process()
        if APP not in world.proxy.waiting:
            return
        await world.recovery.recover_all()
        await world.recovery.go_on()
        lane = world.scheduler.lane_of(APP)
        await pause_by_hand.resume_requests(world.context, lane)
        world.engine.data_of(APP).rows.add(WRITTEN)
        await pause_by_hand.pause_requests(world.context, lane, 30)
        with suppress(TimeoutError):  # where only a person can decide, it is tried for ever, and told
            async with asyncio.timeout(60):
                await world.recovery.recover_the_rest()
        await world.at_rest()
        assert WRITTEN in world.engine.data_of(APP).rows
        await pause_by_hand.resume_requests(world.context, lane)
        assert APP not in world.proxy.waiting

    virtual_time.run(story())


def test_data_that_only_a_person_can_settle_is_told_with_the_command_that_settles_it(tmp_path: Path) -> None:
    """The recovery said instead which key the app had to report."""

    async def story() -> None:
        config, before, act = STORIES["an incompatible migration without a way down"]
        world = World(tmp_path, config)
        await before(world)
        world.engine.broken.add("v2")
        world.engine.refused.add("restore")
        await act(world)
        left = world.journal.unsettled(APP)
        assert left is not None
        await world.new_process()
        await world.recovery.recover_all()
        assert left.remedy in world.recovery.problem(APP)
        await world.recovery.stop()

    virtual_time.run(story())


def test_a_release_that_is_newer_than_the_list_of_containers_is_not_taken_for_lost(tmp_path: Path) -> None:
    """Other apps are looked at first, which takes as long as what they have left takes to be removed."""

    async def story() -> tuple[str, int]:
        config, before, _ = STORIES["a deployment"]
        world = World(tmp_path, config)
        await before(world)
        await world.restart()
        listed, calls = world.engine.placed, 0

        async def placed() -> list[Placed]:
            nonlocal calls
            calls += 1
            found = await listed()
            if calls == 1:
                await world.deploy()
                await world.at_rest()
            return found

        world.engine.placed = placed  # type: ignore[method-assign]
        await world.recovery._look_for_lost()
        return world.recovery.problem(APP), calls

    assert virtual_time.run(story()) == ("", 2)


def test_an_app_is_recovered_as_it_is_configured_when_it_has_its_turn(tmp_path: Path) -> None:
    """It was brought back as it was configured when something else had the turn; one that was removed, too."""

    async def story(*, is_removed: bool) -> tuple[list[dict[str, str]], str]:
        config, before, _ = STORIES["a deployment"]
        world = World(tmp_path / str(is_removed), config)
        await before(world)
        active = world.context.active
        assert active is not None
        await world.new_process()
        await world.engine.remove(active.container)
        specs: list[ContainerSpec] = []
        start = world.engine.start

        async def kept(spec: ContainerSpec) -> str:
            specs.append(spec)
            return await start(spec)

        world.engine.start = kept  # type: ignore[method-assign]
        async with world.scheduler.turn_of(APP):
            recovering = asyncio.create_task(world.recovery.recover_all())
            await asyncio.sleep(1)
            world.configure(run={"data": "/data", "env": {"COLOUR": "red"}})
            world.is_configured = not is_removed
        await recovering
        return [dict(one.env) for one in specs], world.recovery.problem(APP)

    made, problem = virtual_time.run(story(is_removed=False))
    assert [one.get("COLOUR") for one in made] == ["red"]
    assert problem == ""
    assert virtual_time.run(story(is_removed=True)) == ([], "")

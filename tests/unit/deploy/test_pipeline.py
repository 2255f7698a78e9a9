"""A plan carried out: its steps in order and on record, and undone in reverse when one fails."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from orchestrator.config.app_schema import App
from orchestrator.deploy import plans
from orchestrator.deploy.scheduler import Scheduler
from orchestrator.deploy.standby import find_standby
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Deployment, State, StepName, StepState
from orchestrator.domain.events import EventKind
from orchestrator.domain.release_history import may_install_itself
from orchestrator.domain.schema_history import Direction
from orchestrator.errors import JournalError, ProxyError, Refused
from orchestrator.proxy.routes import Server
from tests.support import virtual_time
from tests.support.fakes import stories
from tests.support.fakes.living_world import LivingProxy, LivingWorld
from tests.support.fakes.memory_journal import MemoryJournal
from tests.support.fakes.world import APP, World

FULL_FOR_S = 120.0


async def live(world: World, *revisions: str) -> Deployment:
    world.publish(*revisions)
    ended = await world.deploy()
    assert ended.state is State.LIVE, ended.failure
    return ended


def test_every_step_is_on_record_in_the_order_of_the_plan_with_its_end(world: World) -> None:
    ended = virtual_time.run(live(world, "0001"))

    assert [step.name for step in ended.steps] == list(StepName)
    assert {step.state for step in ended.steps} == {StepState.DONE}
    assert ended.live_at is not None
    assert ended.ended_at is not None


def test_a_deployment_of_an_app_whose_requests_are_paused_is_not_called_live(world: World) -> None:
    async def story() -> Deployment:
        await live(world, "0001")
        await world.proxy.pause(APP, 30)
        world.publish()
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert ended.failure.step is StepName.PREPARE
    assert ended.failure.tip == "Resume them, then deploy again: changeover resume shop"


def test_events_tell_the_story_in_its_order(world: World) -> None:
    ended = virtual_time.run(live(world, "0001"))

    told = [event for event in world.journal.events() if event.kind != EventKind.LINE]
    steps = [event.fields["step"] for event in told if event.fields.get("state") == StepState.RUNNING]
    assert steps == list(StepName)
    assert [event.kind for event in told if event.kind != EventKind.STEP] == [
        "queued",
        "started",
        "live",
        "drained",
        "ended",
    ]
    assert {event.deployment for event in told} == {ended.id}


@pytest.mark.parametrize(
    ("fault", "step"),
    [("build", StepName.BUILD), ("status", StepName.BACKUP), ("up", StepName.MIGRATE)],
)
def test_a_step_that_fails_is_told_with_its_log_and_everything_before_it_is_undone(
    world: World, fault: str, step: StepName
) -> None:
    async def story() -> tuple[Deployment, Deployment | None]:
        await live(world, "0001")
        world.engine.failing.add(fault)
        world.publish("0002")
        ended = await world.deploy()
        return ended, world.context.active

    ended, active = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert ended.failure.step is step
    assert ended.failure.log
    assert active is not None
    assert active.version == "v1"
    assert world.engine.app_containers() == {active.container}
    assert world.engine.data_of(APP).schema == ["0001"]
    assert not list((world.folder / "work").glob("*"))


def test_a_candidate_that_never_gets_ready_is_removed_and_its_migration_taken_back_before_requests_go_on(
    world: World,
) -> None:
    async def story() -> Deployment:
        await live(world, "0001")
        world.engine.incompatible.add("0002")
        world.publish("0002")
        world.engine.broken.add("v2")
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert ended.failure.step is StepName.VERIFY
    assert ended.paused_s is not None
    assert world.proxy.waiting == set()
    assert world.engine.data_of(APP).schema == ["0001"]


def test_a_page_that_never_answers_is_a_failure_of_the_release_which_no_machine_tries_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = {"route": {"host": "shop.test"}, "health": {"answers": 1, "timeout": 0.05, "path": "/ready", "page": "/"}}
    world = World(tmp_path, App.model_validate(config))
    ask_preview = world.proxy.ask_preview

    async def silent(app: str, path: str, timeout_s: float) -> httpx.Response:
        if path == "/":
            raise ProxyError("No answer from the candidate of shop through the proxy: ReadTimeout.")
        return await ask_preview(app, path, timeout_s)

    async def story() -> Deployment:
        monkeypatch.setattr(world.proxy, "ask_preview", silent)
        world.publish()
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.failure is not None
    assert (ended.failure.step, ended.failure.outside) == (StepName.VERIFY, False)
    assert ended.failure.log == ("the app's log",)
    assert ended.release is not None
    assert not may_install_itself(world.journal.attempts(APP), ended.release.source_revision)


def test_a_switch_that_the_proxy_refuses_leaves_the_traffic_where_it_was(world: World) -> None:
    async def story() -> tuple[Deployment, str]:
        before = await live(world)
        world.proxy.refuses_switch = True
        world.publish()
        ended = await world.deploy()
        return ended, before.address

    ended, address = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert any(said.startswith("Could not undo switch") for said in ended.failure.undone)
    assert world.proxy.running[APP].address == address


def test_an_undo_that_fails_stops_no_other_and_is_tried_as_often_as_configured(world: World) -> None:
    async def story() -> Deployment:
        await live(world)
        world.config = world.config.model_copy(
            update={"update": world.config.update.model_copy(
                update={"rollback": world.config.update.rollback.model_copy(update={"max_rollback_attempts": 3})}
            )}
        )  # fmt: skip
        await world.restart()
        world.proxy.refuses_switch = True
        world.publish()
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.failure is not None
    tried = [said for said in ended.failure.undone if said.startswith("Could not undo switch")]
    assert len(tried) == 3
    assert any(said.startswith("Removed the candidate") for said in ended.failure.undone)


class FullDisk(MemoryJournal):
    """It can be read, and written again from the moment `free_at` on, which the first revert of a migration sets."""

    free_at = 0.0

    def migration_started(
        self, app: str, deployment_id: str, direction: Direction, *more: Any, **named: Any
    ) -> int:  # Any: as the journal has it
        if direction is Direction.DOWN and not self.free_at:
            self.free_at = asyncio.get_running_loop().time() + FULL_FOR_S
        self._must_be_free()
        return super().migration_started(app, deployment_id, direction, *more, **named)

    def save(self, deployment: Deployment) -> None:
        self._must_be_free()
        super().save(deployment)

    def rewrite(self, deployment_id: str) -> None:
        self._must_be_free()
        super().rewrite(deployment_id)

    def _must_be_free(self) -> None:
        if asyncio.get_running_loop().time() < self.free_at:
            raise JournalError("The disk of the journal is full.", "Free it.")


def test_an_undo_waits_until_the_disk_of_the_journal_has_room_again(world: World) -> None:
    """It was tried again while the journal could be read, until no try was left: the schema stayed."""
    world.journal = FullDisk(world.records, world.power)
    world.configure(update={"rollback": {"max_rollback_attempts": 3}})
    world.context = replace(world.context, journal=world.journal)
    world.scheduler = Scheduler(world.journal, world.events, lambda _app: world.context)

    async def story() -> None:
        await live(world, "0001")
        world.engine.incompatible.add("0002")
        world.publish("0002")
        world.engine.broken.add("v2")
        ended = await world.deploy()
        assert ended.state is State.FAILED
        assert world.engine.data_of(APP).schema == ["0001"], ended.failure
        active = world.context.active
        assert active is not None
        assert world.engine.can_run(active.container)

    virtual_time.run(story())


@pytest.mark.parametrize("goes_live", [True, False])
def test_a_source_that_cannot_be_removed_changes_no_end_of_a_deployment(world: World, goes_live: bool) -> None:
    """The release was live, and nobody was told; the release before was neither drained nor parked."""

    async def story() -> tuple[Deployment, list[str]]:
        await live(world, "0001")
        world.publish("0002")
        if not goes_live:
            world.engine.broken.add("v2")

        def not_removable() -> None:
            for folder in (world.folder / "work").iterdir():
                shutil.rmtree(folder)
                folder.symlink_to(world.folder)

        world.engine.meanwhile = not_removable
        ended = await world.deploy()
        return ended, [event.kind for event in world.journal.events() if event.deployment == ended.id]

    ended, told = virtual_time.run(story())
    assert ended.state is (State.LIVE if goes_live else State.FAILED)
    assert (EventKind.LIVE if goes_live else EventKind.FAILED) in told
    assert "Unexpected" not in str(ended.failure)
    assert world.folder.exists()


@pytest.mark.parametrize(("number", "says"), [(errno.EROFS, "Read-only file system"), (errno.ENOSPC, "No space left")])
def test_what_the_system_refuses_is_no_defect_and_says_nothing_of_the_release(
    world: World, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    """A full disk was to be reported as a defect in Changeover."""
    fetch = world.source.fetch

    async def refused(_revision: str, folder: Path) -> None:
        raise OSError(number, os.strerror(number), str(folder))

    async def story() -> tuple[Deployment, Deployment]:
        await live(world, "0001")
        world.publish()
        monkeypatch.setattr(world.source, "fetch", refused)
        failed = await world.deploy()
        monkeypatch.setattr(world.source, "fetch", fetch)
        return failed, await world.deploy()

    failed, again = virtual_time.run(story())
    assert failed.failure is not None
    assert (failed.failure.step, failed.failure.outside) == (StepName.FETCH, True)
    assert failed.failure.cause.startswith(says)
    assert str(world.folder) in failed.failure.cause
    assert "defect" not in failed.failure.tip
    assert ("Free disk space" in failed.failure.tip) is (number == errno.ENOSPC)
    assert again.state is State.LIVE


def test_a_defect_in_an_undo_stops_no_other_undo_and_leaves_no_deployment_running(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def defect(_app: str) -> None:
        raise KeyError("a defect")

    async def story() -> Deployment:
        await live(world, "0001")
        world.engine.incompatible.add("0002")
        world.publish("0002")
        world.engine.broken.add("v2")
        monkeypatch.setattr(world.proxy, "end_preview", defect)
        asked = await world.scheduler.request(APP, ref="", by="test")
        return await world.until_ended(asked.id)

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert any("Could not undo verify" in said and "Unexpected KeyError" in said for said in ended.failure.undone)
    assert any(said.startswith("Removed the candidate") for said in ended.failure.undone)
    assert not world.proxy.waiting


def test_a_plan_describes_each_of_its_steps_for_the_app(world: World) -> None:
    described = plans.describe(plans.DEPLOY, world.context)

    assert [step.name for step in described] == list(StepName)
    assert all(step.description.endswith(".") for step in described)
    assert "up" in next(step.description for step in described if step.name == StepName.MIGRATE)


def test_the_plan_of_a_rollback_depends_on_what_the_standby_needs(world: World) -> None:
    async def story() -> list[plans.Plan]:
        found = []
        await live(world, "0001")
        await live(world)
        found.append(plans.to_standby(await find_standby(world.context)))
        world.engine.incompatible.add("0002")
        await live(world, "0002")
        found.append(plans.to_standby(await find_standby(world.context)))
        return found

    assert virtual_time.run(story()) == [plans.ROLL_BACK_TO_SLEEPING, plans.ROLL_BACK_WITH_DATA]


def test_a_rollback_takes_the_data_along_and_back_again(world: World) -> None:
    async def story() -> list[list[str]]:
        world.engine.incompatible.add("0002")
        await live(world, "0001")
        await live(world, "0002")
        schemas = [list(world.engine.data_of(APP).schema)]
        for _ in range(2):
            record = await world.roll_back()
            assert record.state is State.LIVE, record.failure
            schemas.append(list(world.engine.data_of(APP).schema))
        return schemas

    assert virtual_time.run(story()) == [["0001", "0002"], ["0001"], ["0001", "0002"]]


def test_a_standby_whose_container_is_gone_is_no_goal_and_says_how_to_get_it_back(world: World) -> None:
    async def story() -> None:
        await live(world)
        await live(world)
        standby = world.context.standby
        assert standby is not None
        await world.engine.remove(standby.container)
        with pytest.raises(Refused) as refused:
            await world.scheduler.roll_back(APP, by="me")
        assert "changeover deploy shop --ref" in refused.value.remedy

    virtual_time.run(story())


@pytest.mark.parametrize("fault", ["drain.signal", "the standby's container is gone"])
def test_nothing_that_fails_in_retiring_leaves_a_container_more_at_each_deployment(world: World, fault: str) -> None:
    async def story() -> None:
        await live(world, "0001")
        for _ in range(3):
            if fault == "drain.signal":
                world.configure(drain={"signal": "SIGUSR1", "timeout": 1})
                world.engine.unknown_signals.add("SIGUSR1")
            elif (standby := world.context.standby) is not None:
                del world.engine.running[standby.container]
            await live(world)
        await world.at_rest()
        active, standby = world.context.active, world.context.standby
        assert world.engine.app_containers() == {one.container for one in (active, standby) if one}
        assert EventKind.RETIRE_FAILED not in {event.kind for event in world.journal.events()}

    virtual_time.run(story())


@pytest.mark.parametrize("step", [one for one in StepName if one not in (StepName.SWITCH, StepName.RETIRE)])
def test_a_step_whose_result_cannot_be_recorded_runs_in_no_history(world: World, step: StepName) -> None:
    """The deployment had failed, and one of its steps ran for ever."""

    class AwayOnce(MemoryJournal):
        def step_ended(
            self, deployment_id: str, name: StepName, state: StepState, note: str = "", at: datetime | None = None
        ) -> None:
            if name is step and state is StepState.DONE:
                raise JournalError("The journal does not answer.", "Start its database.")
            super().step_ended(deployment_id, name, state, note, at)

    world.journal = AwayOnce(world.records, world.power)
    world.context = replace(world.context, journal=world.journal)
    world.scheduler = Scheduler(world.journal, world.events, lambda _app: world.context)

    async def story() -> Deployment:
        world.publish("0001")
        return await world.deploy()

    ended = virtual_time.run(story())
    assert ended.state is State.FAILED
    assert {one.name: one.state for one in ended.steps}[step] is StepState.FAILED
    assert StepState.RUNNING not in {one.state for one in ended.steps}


class LosesAnAnswer(LivingProxy):
    """It goes away for half a minute when it has made its second switch."""

    switches = 0

    async def switch(self, app: str, colour: Colour, server: Server) -> None:
        await super().switch(app, colour, server)
        self.switches += 1
        if self.switches == 2:
            self.away = ProxyError("The proxy does not answer.", "Start it.")
            asyncio.get_running_loop().call_later(30, self.comes_back)

    def comes_back(self) -> None:
        self.away = None


def test_a_switch_whose_answer_is_lost_is_taken_back_when_the_proxy_is_back(tmp_path: Path) -> None:
    """All attempts of its undo were over by then: the traffic was sent to a candidate that had been removed."""

    class WithThisProxy(LivingWorld):
        proxy_kind = LosesAnAnswer

    world = WithThisProxy(tmp_path, stories.app())

    async def story() -> None:
        await world.begin()
        await stories.live(world, "0001")
        before = world.context.active
        assert before is not None
        world.publish()
        ended = await world.deploy()
        assert (ended.state, ended.failure and ended.failure.step) == (State.FAILED, StepName.SWITCH)
        assert world.proxy.running[APP].address == before.address
        assert world.proxy.files[APP] is before.colour
        await world.stop()

    virtual_time.run(story())

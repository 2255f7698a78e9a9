"""A restore of which it is not known what became: it is settled before anything else works on the data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.app_data import backups, swap
from orchestrator.backup_sidecar import catalogue
from orchestrator.domain.deployment import State
from orchestrator.domain.schema_history import Direction, Outcome
from orchestrator.engine.base import ContainerSpec
from orchestrator.errors import EngineError, UnknownBackup
from tests.support import virtual_time
from tests.support.fakes import stories
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP, World


def test_a_backup_is_made_of_data_that_is_whole(tmp_path: Path) -> None:
    """Its sidecar took new data that was in place for a complete restore, and removed the old data, whatever the
    protocol of restores said. Then the journal was told that the restore was undone."""
    world = World(tmp_path, app())

    async def story() -> None:
        await live(world, "0001")
        active = world.context.active
        assert active is not None
        world.journal.migration_started(APP, active.id, Direction.RESTORED, ())
        world.engine.sidecar_specs.clear()
        async with world.context.data_turn:
            await backups.create(world.context, active, "by hand")

    virtual_time.run(story())
    jobs = [one.name.rpartition("-")[0].removeprefix(f"test-{APP}-") for one in world.engine.sidecar_specs]
    assert jobs == ["undo-interrupted", "create"]
    assert world.journal.migrations(APP)[-1].outcome is Outcome.FAILED


def test_the_active_release_runs_again_after_a_stop_that_the_engine_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The active container was stopped already when the stop of the standby failed."""
    world = World(tmp_path, app())
    stop = world.engine.stop

    async def story() -> bool:
        await live(world, "0001")
        await live(world)
        active, standby = world.context.active, world.context.standby
        assert active is not None
        assert standby is not None
        await world.engine.wake(standby.container, standby.address)
        async with world.context.data_turn:
            made = await backups.create(world.context, active, "by hand")

        async def refused(name: str, limit_s: int) -> None:
            if name == standby.container:
                raise EngineError("It cannot be stopped.")
            await stop(name, limit_s)

        monkeypatch.setattr(world.engine, "stop", refused)
        with pytest.raises(EngineError, match="cannot be stopped"):
            await swap.put_back(world.context, made.id, by=active)
        return world.engine.running[active.container].running

    assert virtual_time.run(story())


def test_an_app_that_is_not_started_again_hides_not_why_its_data_was_not_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, app())

    async def story() -> None:
        await live(world, "0001")
        active = world.context.active
        assert active is not None

        async def refused(name: str, address: str = "") -> None:
            raise EngineError("Docker is on strike.", "Start Docker.")

        monkeypatch.setattr(world.engine, "wake", refused)
        with pytest.raises(UnknownBackup) as told:
            await swap.put_back(world.context, "no-such-backup", by=active)
        cause, _, then = told.value.cause.partition(" After that, the app was not started again: ")
        assert "no-such-backup" in cause
        assert then == "Docker is on strike."

    virtual_time.run(story())


@pytest.mark.parametrize(
    "act", [stories.restore, stories.restore_with_the_release], ids=["restore", "with the release"]
)
def test_a_restore_for_which_there_is_no_room_leaves_the_data_as_it_is_and_is_settled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, act: stories.Story
) -> None:
    """Its undo wanted to restore as well, for which there was no room either: the data, which nobody had touched, was
    called half replaced, in red."""
    world = World(tmp_path, app())
    run_to_end = world.engine.run_to_end
    restores: list[str] = []

    async def has_no_room(
        spec: ContainerSpec, timeout_s: float, on_line: Callable[[str], None], line_bytes: int = 0
    ) -> tuple[object, bool]:
        if "restore" not in (spec.command or ()):
            return await run_to_end(spec, timeout_s, on_line, line_bytes)
        restores.append(spec.name)
        on_line("Not enough disk space to unpack the data: 5 MB free, 64 MB required.")
        return SimpleNamespace(exit_code=catalogue.DATA_NOT_WRITTEN, why_stopped="exited with code 5"), False

    async def story() -> None:
        await stories.a_backup(world)
        monkeypatch.setattr(world.engine, "run_to_end", has_no_room)
        await act(world)

    virtual_time.run(story())
    ended = world.journal.deployments(APP, limit=1)[0]
    assert ended.state is State.FAILED
    assert ended.failure is not None
    assert "Not enough disk space" in ended.failure.cause
    assert not [one for one in ended.failure.undone if "Could not undo" in one]
    assert world.journal.unsettled(APP) is None
    assert len(restores) == 1
    stories.assert_whole(world, "a restore without room")
    assert stories.ROW in world.engine.data_of(APP).rows

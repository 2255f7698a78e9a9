"""A restore of which it is not known what became: it is settled before anything else works on the data."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.app_data import backups, swap
from orchestrator.domain.schema_history import Direction, Outcome
from orchestrator.errors import EngineError, UnknownBackup
from tests.support import virtual_time
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

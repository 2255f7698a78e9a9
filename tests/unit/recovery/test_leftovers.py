"""What an interrupted process left on the engine and on the disk is removed at the next start."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.app_data import backups
from orchestrator.clock import now
from orchestrator.deploy import leftovers
from orchestrator.domain.deployment import State
from orchestrator.domain.schema_history import Direction, Outcome, applied
from orchestrator.domain.unsettled import Unsettled
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, ContainerSpec, Role
from orchestrator.errors import EngineError
from orchestrator.recovery import resume
from tests.support import virtual_time
from tests.support.fakes.engine import FakeEngine
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP, World


class StubbornEngine(FakeEngine):
    """One sidecar of it cannot be removed."""

    async def remove(self, name: str, stop_timeout_s: int = 0) -> bool:
        if name == "stubborn":
            raise EngineError("Docker refused: device or resource busy.")
        return await super().remove(name, stop_timeout_s)


def test_sidecars_sources_and_dumps_are_removed_and_one_that_stays_keeps_nothing_else(tmp_path: Path) -> None:
    work = tmp_path / "work"
    (work / "d1").mkdir(parents=True)
    (work / "d1.tar").write_bytes(b"half of it")

    async def story() -> FakeEngine:
        engine = StubbornEngine()
        for name, role in (("stubborn", Role.SIDECAR), ("another", Role.SIDECAR), ("app", Role.APP)):
            await engine.start(ContainerSpec(name, "image", {LABEL_APP: "shop", LABEL_ROLE: role}, "test"))
        engine.named_volumes = {"test-shop-data", "test-shop-dump-20261125-101500-123456"}
        await resume.remove_leftovers(engine, work)
        return engine

    engine = asyncio.run(story())
    assert set(engine.running) == {"stubborn", "app"}
    assert engine.named_volumes == {"test-shop-data"}
    assert not work.exists()


@pytest.mark.parametrize(
    ("name", "is_dump"),
    [
        ("changeover-shop-dump-20261125-101500-123456", True),
        ("changeover-shop-data", False),
        ("changeover-x-dump-y-data", False),
        ("changeover-dump-20261125-data", False),
        ("changeover-backups", False),
    ],
)
def test_a_volume_of_data_is_never_taken_for_a_dump(name: str, is_dump: bool) -> None:
    assert backups.is_dump_volume(name) is is_dump


def test_data_that_was_removed_has_no_schema_and_nothing_unsettled_and_any_release_can_begin_again(
    tmp_path: Path,
) -> None:
    """The journal still said what the removed data had: an older release was not migrated, because it seemed newer."""

    async def story() -> None:
        world = World(tmp_path, app())
        await live(world, "0001")
        await live(world, "0002")
        active = world.context.active
        assert active is not None
        world.journal.migration_started(APP, active.id, Direction.UP)
        world.journal.leave(APP, Unsettled(active.id, now(), "0003 stands in the data.", "Restore a backup."))
        left = replace(await leftovers.of_app(world.context, []), backups=())
        await leftovers.remove(world.context, left, tmp_path / "mirror", keep_backups=False)
        world.engine.data.pop(APP)

        assert applied(world.journal.migrations(APP)) == ()
        assert Outcome.RUNNING not in {run.outcome for run in world.journal.migrations(APP)}
        assert world.journal.unsettled(APP) is None
        again = await world.deploy("v1")
        assert again.state is State.LIVE, again.failure
        assert [one.revision for one in applied(world.journal.migrations(APP))] == ["0001"]
        assert world.engine.data_of(APP).schema == ["0001"]

    virtual_time.run(story())

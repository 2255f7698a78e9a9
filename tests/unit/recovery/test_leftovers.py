"""What an interrupted process left on the engine and on the disk is removed at the next start."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.app_data import backups
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, ContainerSpec, Role
from orchestrator.errors import EngineError
from orchestrator.recovery import resume
from tests.support.fakes.engine import FakeEngine


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

"""The temporary volume of a dump ends with its backup."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.app_data import backups
from orchestrator.config.app_schema import App
from tests.support import virtual_time
from tests.support.fakes.world import APP, World


@pytest.mark.parametrize("after_s", [0.5, 1.5])
def test_a_backup_that_is_cancelled_leaves_no_volume_of_its_dump(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after_s: float
) -> None:
    """Docker makes a volume also when nobody waits for its answer any more."""
    config = {"route": {"host": "shop.test"}, "backup": {"dump": "dump", "restore": "load"}}

    async def story() -> None:
        world = World(tmp_path, App.model_validate(config))
        world.publish()
        live = await world.deploy()
        ensure_volume = world.engine.ensure_volume

        async def slowly(name: str) -> None:
            await ensure_volume(name)
            await asyncio.sleep(1)

        monkeypatch.setattr(world.engine, "ensure_volume", slowly)
        async with world.context.data_turn:
            creating = asyncio.create_task(backups.create(world.context, live, "by hand"))
            await asyncio.sleep(after_s)
            assert any(map(backups.is_dump_volume, world.engine.named_volumes))
            creating.cancel()
            await asyncio.wait([creating])

        assert creating.cancelled()
        assert not any(map(backups.is_dump_volume, world.engine.named_volumes))

    virtual_time.run(story())


@pytest.mark.parametrize("backup", ["", "of-the-old-shop"])
@pytest.mark.parametrize("job", ["compare", "restore"])
def test_every_volume_of_a_dump_is_known_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backup: str, job: str
) -> None:
    """Also that of a comparison, or of a backup that a person has renamed: one that a kill left stayed for ever."""
    config = {"route": {"host": "shop.test"}, "backup": {"dump": "dump", "restore": "load"}}

    async def story() -> list[str]:
        world = World(tmp_path, App.model_validate(config))
        world.publish()
        live, made = await world.deploy(), []
        async with world.context.data_turn:
            named = (await backups.create(world.context, live, "by hand")).id
            kept = world.engine.backups[APP]
            kept[backup or named] = kept.pop(named)
            ensure_volume = world.engine.ensure_volume

            async def noted(name: str) -> None:
                made.append(name)
                await ensure_volume(name)

            monkeypatch.setattr(world.engine, "ensure_volume", noted)
            if job == "compare":
                await backups.compare(world.context, backup or named, live)
            else:
                await backups.restore(world.context, backup or named, live, "token")
        return [name for name in made if "-dump-" in name]

    made = virtual_time.run(story())
    assert made
    assert all(map(backups.is_dump_volume, made)), made

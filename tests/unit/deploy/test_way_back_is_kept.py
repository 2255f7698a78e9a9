"""Whatever is deployed, backed up and restored: the backup that is the only way back is not pruned."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.app_data import backups
from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Kind
from tests.support import virtual_time
from tests.support.fakes.stories import app, live
from tests.support.fakes.world import APP, World

ACTS = ("compatible", "incompatible", "fails", "half-way", "backup", "restore", "roll back")


def config() -> App:
    """Without a way down, and with as few backups as possible."""
    return app(down=False).model_copy(
        update={"update": app(down=False).update.model_copy(
            update={"backup": app().update.backup.model_copy(update={"keep_backups": 1})}
        )}
    )  # fmt: skip


async def act(world: World, what: str, number: int) -> None:
    match what:
        case "backup":
            active = world.context.active
            assert active is not None
            async with world.context.data_turn:
                await backups.create(world.context, active, "test")
            return
        case "restore":
            if not world.engine.backups.get(APP):
                return
            record = await world.scheduler.restore(APP, max(world.engine.backups[APP]), by="test", kind=Kind.RESTORE)
            await world.until_ended(record.id)
            return
        case "roll back":
            if world.context.standby and not backups.needed_for_rollback(world.context):
                await world.roll_back()
            return
    revision = f"{number:04}"
    if what in ("incompatible", "half-way"):
        world.engine.incompatible.add(revision)
    if what == "half-way":
        world.engine.half_way.add(f"{revision}-second")
    if what == "fails":
        world.engine.failing.add("build")
    world.publish(revision, *([f"{revision}-second"] if what == "half-way" else []))
    await world.deploy()
    if what in ("half-way", "fails"):
        world.source.withdraw()
        world.schema = world.schema[: world.schema.index(revision)]
    world.engine.mend()


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts=st.lists(st.sampled_from(ACTS), min_size=1, max_size=7))
def test_the_only_way_back_is_never_pruned(acts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder: Path = tmp_path_factory.mktemp("world")

    async def story() -> None:
        world = World(folder, config())
        await live(world, "0000")
        for number, what in enumerate(acts, 1):
            await act(world, what, number)
            kept = set(world.engine.backups.get(APP, {}))
            left = world.journal.unsettled(APP)
            needed = {backups.needed_for_rollback(world.context), left.backup if left else ""} - {""}
            assert needed <= kept, f"after {acts[:number]}"

    virtual_time.run(story())

"""A restore command that did nothing is no restore, whatever its exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.app_data import loaded_dump
from orchestrator.backup_sidecar.difference import Difference
from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Deployment, Kind, State
from tests.support import virtual_time
from tests.support.fakes.world import APP, World

CONFIG = {"route": {"host": "shop.test"}, "backup": {"dump": "dump", "restore": "load"}}


@pytest.mark.parametrize("loads", [True, False])
@pytest.mark.parametrize("is_same", [True, False])
def test_a_restore_is_done_when_the_data_is_that_of_the_backup(tmp_path: Path, loads: bool, is_same: bool) -> None:
    """The command loaded into another database and ended with 0: the restore was called done."""

    async def story() -> tuple[Deployment, bool]:
        world = World(tmp_path, App.model_validate(CONFIG))
        world.engine.is_dumped = True
        world.publish()
        first = await world.deploy()
        world.engine.data_of(APP).rows.add("in the backup")
        world.publish()
        backup = (await world.deploy()).backup
        if not is_same:
            world.engine.data_of(APP).rows.add("written since")
        world.engine.loads_nothing = not loads
        assert first.state is State.LIVE
        ended = await world.scheduler.restore(APP, backup, by="test", kind=Kind.RESTORE)
        return ended, "written since" in world.engine.data_of(APP).rows

    ended, has_rows_since = virtual_time.run(story())

    assert ended.state is (State.LIVE if loads or is_same else State.FAILED)
    assert has_rows_since is (not loads and not is_same)
    if ended.failure:
        assert ended.failure.cause.startswith("The restore command 'load' changed nothing: dump/shop.sql is as it was")


@pytest.mark.parametrize(
    ("content", "counts"), [((), []), (("data/shop.db",), []), (("data/x", "dump/a.sql"), ["dump/a.sql"])]
)
def test_only_the_dump_is_what_the_command_puts_back(content: tuple[str, ...], counts: list[str]) -> None:
    assert loaded_dump.of_dump(Difference((), (), content)) == counts

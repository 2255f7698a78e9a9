"""A backup sidecar reaches the folders of its own app, and is told nothing that it would take for an option."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.app_data import backup_sidecar
from orchestrator.backup_sidecar.catalogue import is_id
from orchestrator.errors import UnknownBackup
from tests.support.fakes import stories
from tests.support.fakes.world import APP, World

JOBS = ("list", "create", "verify", "compare", "restore", "remove-all", "undo-interrupted")


@pytest.mark.parametrize("job", JOBS)
def test_a_backup_sidecar_reaches_its_own_apps_folders_and_nothing_else(tmp_path: Path, job: str) -> None:
    context = World(tmp_path, stories.app()).context

    spec = backup_sidecar.specification(context, job, "dump-of-this-app", ())

    assert {folder for _, folder, _ in spec.parts} <= {APP, f".copies/{APP}"}
    assert {source for source, _ in spec.mounts} <= {context.volume, "dump-of-this-app"}
    assert (spec.owned, spec.read_only_mounts, spec.env, spec.more_networks) == ((), (), {}, ())
    assert (spec.network, spec.read_only, spec.privileges) == ("", True, False)
    assert set(spec.capabilities) <= {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SYS_CHROOT", "DAC_READ_SEARCH"}
    assert (spec.memory, spec.pids) == ("1g", 64)


@pytest.mark.parametrize(
    "backup",
    ["--gently", "-h", "..", "../blog/20261125-000000-000000", ".copies", ".", "a/b", "a\0b", "\ud800", "x" * 9999],
)
async def test_what_cannot_be_a_backup_is_not_even_looked_for(tmp_path: Path, backup: str) -> None:
    world = World(tmp_path, stories.app())

    with pytest.raises(UnknownBackup):
        await backup_sidecar.run(world.context, "verify", backup)

    assert world.engine.running == {}


def test_the_ids_of_backups_are_ids() -> None:
    assert is_id("20261125-232630-121667")

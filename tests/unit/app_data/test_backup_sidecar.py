"""A backup sidecar reaches the folders of its own app, and is told nothing that it would take for an option."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.app_data import backup_sidecar, backups, migrations
from orchestrator.apps import one_off
from orchestrator.apps.one_off import OneOff, Place
from orchestrator.backup_sidecar import catalogue
from orchestrator.backup_sidecar.catalogue import is_id
from orchestrator.errors import StepFailed, UnknownBackup
from tests.support import virtual_time
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


@pytest.mark.parametrize("job", ["list", "verify", "extract", "remove-all"])
def test_who_reads_backups_has_no_data_at_hand_and_can_undo_no_restore(tmp_path: Path, job: str) -> None:
    context = World(tmp_path, stories.app()).context

    assert backup_sidecar.specification(context, job, "", ()).mounts == ()


def test_two_that_want_the_same_at_once_have_sidecars_of_their_own(tmp_path: Path) -> None:
    """One of two `migrate status`, or of two lists of backups, was killed when the other one began."""

    world = World(tmp_path, stories.app())

    async def story() -> None:
        await stories.two_releases(world)
        world.engine.sidecar_specs.clear()
        context, active = world.context, world.context.active
        assert active is not None
        wanted = OneOff(Place.RUN, ("status",), {}, 10)
        await asyncio.gather(
            *(migrations.pending(context, active) for _ in range(3)),
            *(backups.entries(context) for _ in range(3)),
            *(one_off.carry_out(context, wanted, lambda _line: None) for _ in range(3)),
        )

    virtual_time.run(story())
    names = [one.name for one in world.engine.sidecar_specs]
    assert len(set(names)) == len(names) == 9


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


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (catalogue.NOT_SUITABLE, f"Correct that in the data of {APP}"),
        (catalogue.DATA_NOT_WRITTEN, f"Make room on the disk of volume test-{APP}-data"),
        (1, "Check the backup location backups."),
    ],
)
async def test_the_remedy_names_what_has_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, remedy: str
) -> None:
    world = World(tmp_path, stories.app())
    ended = SimpleNamespace(exit_code=code, why_stopped=f"exited with code {code}")

    async def fails(*_: object) -> tuple[SimpleNamespace, bool]:
        return ended, False

    monkeypatch.setattr(world.engine, "run_to_end", fails)

    with pytest.raises(StepFailed) as failed:
        await backup_sidecar.run(world.context, "restore", "20260101-000000-000001")

    assert failed.value.remedy.startswith(remedy)


async def test_how_far_a_backup_is_is_told_and_is_neither_its_answer_nor_the_cause_of_its_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, stories.app())
    answers, told = iter(['{"made": 1}', "the disk is full"]), list[str]()

    async def works(_spec: object, _timeout_s: float, on_line: Callable[[str], None], _line_bytes: int) -> object:
        on_line("progress: 40 % of 612 MB")
        answer = next(answers)
        on_line(answer)
        on_line("progress: 80 % of 612 MB")
        return SimpleNamespace(exit_code=int(answer[0] != "{"), why_stopped="", oom=False), False

    monkeypatch.setattr(world.engine, "run_to_end", works)

    assert await backup_sidecar.run(world.context, "create", "", on_line=told.append) == {"made": 1}
    assert told == ["backing up: 40 % of 612 MB", "backing up: 80 % of 612 MB"]
    with pytest.raises(StepFailed, match="the disk is full") as failed:
        await backup_sidecar.run(world.context, "restore", "20260101-000000-000001", on_line=told.append)
    assert failed.value.log == ("the disk is full",)
    assert told[2:] == ["restoring: 40 % of 612 MB", "restoring: 80 % of 612 MB"]

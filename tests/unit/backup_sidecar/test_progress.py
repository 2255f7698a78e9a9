"""Who waits for a long backup or restore is told how far it is."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.backup_sidecar import archive, pace, restore
from orchestrator.backup_sidecar.pace import Pace

BLOCK = 2**20


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was told: after each part of the work."""
    monkeypatch.setattr(pace, "TOLD_EVERY_S", 0.0)
    return []


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A file, one with a hole, and two databases: SQLite copies one in steps and the other one at once."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "picture").write_bytes(os.urandom(2 * BLOCK))
    with (folder / "with a hole").open("wb") as file:
        file.write(os.urandom(BLOCK))
        file.seek(8 * BLOCK)
        file.write(os.urandom(BLOCK))
    for mode in ("wal", "delete"):
        with closing(sqlite3.connect(folder / f"{mode}.db")) as database, database:
            database.execute(f"PRAGMA journal_mode={mode}")
            database.execute("CREATE TABLE pictures (content BLOB)")
            database.execute("INSERT INTO pictures VALUES (randomblob(?))", (2 * BLOCK,))
    return folder


def percents(told: list[str]) -> list[int]:
    return [int(says.partition(" %")[0]) for says in told]


def back_up(data: Path, folder: Path, told: list[str]) -> None:
    archive.create(
        {"data": data}, folder, Pace(gently=False, tell=told.append), backup=folder.name, app="shop", version="v1",
        revision="abc", reason="test",
    )  # fmt: skip


def test_a_backup_says_how_much_of_the_data_is_copied_and_packed(data: Path, tmp_path: Path, told: list[str]) -> None:
    back_up(data, tmp_path / "backups" / "one", told)

    assert percents(told) == sorted(percents(told))
    assert percents(told)[0] < 20
    assert percents(told)[-1] == 99  # never more: what is packed is not on the disk yet
    assert {says.partition(" % of ")[2] for says in told} == {"8 MB"}  # without the hole


def test_a_restore_says_how_much_is_unpacked(data: Path, tmp_path: Path, told: list[str]) -> None:
    back_up(data, tmp_path / "backups" / "one", [])

    restore.restore(tmp_path / "backups" / "one", {"data": data}, pace=Pace(gently=False, tell=told.append))

    assert percents(told) == sorted(percents(told))
    assert percents(told)[0] < 20
    assert percents(told)[-1] == 99
    assert percents(told).count(99) <= len(told) // 50 + 1
    assert {says.partition(" % of ")[2] for says in told} == {"8 MB"}


@pytest.mark.parametrize("hole", [0, 64 * BLOCK])
def test_it_is_nearly_done_only_near_the_end(tmp_path: Path, told: list[str], hole: int) -> None:
    """A hole is read as well, and the archive before it is unpacked."""
    data = tmp_path / "data"
    data.mkdir()
    with (data / "file").open("wb") as file:
        file.seek(hole)
        file.write(os.urandom(16 * BLOCK))
    back_up(data, tmp_path / "backups" / "one", told)
    packed = percents(told)
    told.clear()
    restore.restore(tmp_path / "backups" / "one", {"data": data}, pace=Pace(gently=False, tell=told.append))

    for told_percents in (packed, percents(told)):
        assert sum(percent > 90 for percent in told_percents) < len(told_percents) / 5


def test_small_data_is_not_told_as_nothing(told: list[str]) -> None:
    small = Pace(gently=False, tell=told.append)
    small.expect(300, 600)
    small.worked(300)

    assert told == ["50 % of less than 1 MB"]


def test_what_takes_a_moment_says_nothing(data: Path, tmp_path: Path) -> None:
    told: list[str] = []
    back_up(data, tmp_path / "backups" / "one", told)

    assert told == []


def test_data_that_grows_while_it_is_backed_up_is_never_told_as_more_than_all(told: list[str]) -> None:
    grows = Pace(gently=False, tell=told.append)
    grows.expect(BLOCK, BLOCK)
    for _ in range(5):
        grows.worked(BLOCK)

    assert percents(told) == [99] * 5

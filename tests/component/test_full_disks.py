"""Backups and restores on small file systems of their own that are full, or read-only: nothing is lost, the sentence
names the disk, nothing is left behind, and it goes on when there is room."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestrator.backup_sidecar import __main__ as sidecar
from orchestrator.backup_sidecar import archive, restore
from orchestrator.backup_sidecar.catalogue import DATA_NOT_WRITTEN, EXTRA_FOLDER
from orchestrator.errors import Refused
from orchestrator.pushes.secret import make_push_secret

FIRST, SECOND = "20260101-000000-000001", "20260101-000000-000002"
ROOM_KB = 20_000
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small file system")


class Disks:
    """The data and the backups of an app, each on a disk of its own, and the command of the sidecar on them."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.data, self.backups = folder / "jail/data", folder / "backups"
        self._capture = capture

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit code and last line."""
        if arguments[0] == "create":
            extra = self.backups / EXTRA_FOLDER
            with suppress(OSError):
                (extra / "config").mkdir(parents=True, exist_ok=True)
                (extra / "config" / "app.yaml").write_text("apps: {}\n")
                about = {"version": "v1", "revision": "abc", "reason": "test", "spare": []}
                sidecar.ABOUT.write_text(json.dumps(about))
        sys.argv, mask = ["sidecar", *arguments], os.umask(0o022)
        try:
            code = sidecar.main()
        finally:
            os.umask(mask)
        return code, self._capture.readouterr().out.splitlines()[-1]

    def back_up(self, backup: str) -> tuple[int, str]:
        return self.run("create", "--app=shop", f"--backup={backup}", "--keep=3")

    def put_back(self, token: str) -> tuple[int, str]:
        return self.run("restore", f"--backup={FIRST}", f"--token={token}")

    def is_complete(self, token: str) -> bool:
        """After what the orchestrator does when a restore has ended in any way."""
        code, said = self.run("undo-interrupted", f"--token={token}")
        assert code == 0, said
        return bool(json.loads(said)["complete"])

    def content(self) -> dict[str, bytes]:
        return {str(one.relative_to(self.data)): one.read_bytes() for one in self.data.rglob("*") if one.is_file()}

    def kept(self) -> list[str]:
        return sorted(one.name for one in self.backups.iterdir() if one.name != ".last-restore.json")


def remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


@pytest.fixture
def disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Disks]:
    disks = Disks(tmp_path, capsys)
    extra = disks.backups / EXTRA_FOLDER
    for name, value in {
        "BACKUPS": disks.backups,
        "JAIL": tmp_path / "jail",
        "PUT_BACK": {"data": disks.data},
        "EXTRA": {name: extra / name for name in ("config", "logs")},
        "ABOUT": extra / "about.json",
        "_jail": lambda: None,
    }.items():
        monkeypatch.setattr(sidecar, name, value)
    # Nobody knows before how much an app writes meanwhile.
    plenty = SimpleNamespace(disk_usage=lambda _path: SimpleNamespace(free=2**40), rmtree=shutil.rmtree)
    monkeypatch.setattr(archive, "shutil", plenty)
    monkeypatch.setattr(restore, "shutil", plenty)
    monkeypatch.setattr(sys, "argv", sys.argv)
    with _small(disks.data), _small(disks.backups):
        with closing(sqlite3.connect(disks.data / "shop.db")) as database:
            database.execute("CREATE TABLE orders (text)")
            database.executemany("INSERT INTO orders VALUES (?)", [(os.urandom(200).hex(),) for _ in range(300)])
            database.commit()
        (disks.data / "picture").write_bytes(os.urandom(100_000))
        yield disks


@contextmanager
def _small(place: Path) -> Iterator[None]:
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_KB}k", "tmpfs", str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("size_kb", [16, 32, 96, 160, 192])
def test_a_backup_for_which_there_is_no_room_leaves_nothing_and_is_no_fault_of_the_data(
    disks: Disks, size_kb: int
) -> None:
    """By a full disk a database could not be copied: the data was to be corrected."""
    remount(disks.backups, f"size={size_kb}k")

    code, said = disks.back_up(FIRST)

    assert code == 1, said
    assert said.endswith(("The disk of the backups is full.", "database or disk is full."))
    assert disks.kept() == []
    remount(disks.backups, f"size={ROOM_KB}k")
    assert disks.back_up(SECOND)[0] == 0
    assert disks.run("verify", f"--backup={SECOND}")[0] == 0


@pytest.mark.parametrize("size_kb", [300, 360, 400])
def test_a_restore_for_which_the_data_has_no_room_changes_nothing_and_says_so(disks: Disks, size_kb: int) -> None:
    assert disks.back_up(FIRST)[0] == 0
    (disks.data / "later").write_bytes(b"an order")
    before = disks.content()
    remount(disks.data, f"size={size_kb}k")

    assert disks.put_back("1") == (DATA_NOT_WRITTEN, "The disk of the data is full.")

    assert not disks.is_complete("1")
    assert disks.content() == before
    remount(disks.data, f"size={ROOM_KB}k")
    assert disks.put_back("2")[0] == 0
    assert disks.is_complete("2")
    assert "later" not in disks.content()


@pytest.mark.parametrize(
    ("is_full", "why"), [(True, "No space left on device"), (False, "Read-only file system")], ids=["full", "read-only"]
)
def test_a_restore_that_cannot_be_recorded_changes_nothing(disks: Disks, is_full: bool, why: str) -> None:
    assert disks.back_up(FIRST)[0] == 0
    (disks.data / "later").write_bytes(b"an order")
    before = disks.content()
    if is_full:
        with suppress(OSError):
            (disks.backups / "filler").write_bytes(b"x" * 2 * ROOM_KB * 1024)
    else:
        remount(disks.backups, "ro")

    assert disks.put_back("1") == (1, f"The restore cannot be recorded beside the backups: {why}.")

    assert not disks.is_complete("1")
    assert disks.content() == before
    assert disks.run("verify", f"--backup={FIRST}")[0] == 0
    remount(disks.backups, "rw")
    (disks.backups / "filler").unlink(missing_ok=True)
    assert disks.put_back("2")[0] == 0
    assert disks.is_complete("2")


def test_data_on_a_disk_that_is_read_only_by_now_can_be_backed_up(disks: Disks) -> None:
    """As Linux mounts a file system again in which it finds errors: then a backup is needed most."""
    remount(disks.data, "ro")

    assert disks.back_up(FIRST)[0] == 0

    assert disks.put_back("1") == (DATA_NOT_WRITTEN, "The data cannot be written: the file system is read-only.")
    assert not disks.is_complete("1")
    remount(disks.data, "rw")
    assert disks.put_back("2")[0] == 0


def test_a_backup_that_does_not_begin_leaves_no_configuration_beside_the_others(disks: Disks) -> None:
    (disks.data / ".changeover-restore").mkdir()
    remount(disks.data, "ro")

    assert disks.back_up(FIRST)[0] == 1

    assert disks.kept() == []


def test_a_read_only_folder_takes_no_push_secret_and_says_so(tmp_path: Path) -> None:
    """What removes the unfinished file was refused as well, and that was told as a defect."""
    with _small(tmp_path / "etc"):
        remount(tmp_path / "etc", "ro")

        with pytest.raises(Refused, match="Read-only file system"):
            make_push_secret(tmp_path / "etc", "push", "shop", replace=False)

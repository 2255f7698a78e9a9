"""Backups are readable by their owner alone, also those that earlier versions made."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.backup_sidecar import archive, permission
from orchestrator.backup_sidecar.pace import Pace


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*")) if not path.is_symlink()}


def test_what_a_backup_writes_is_for_its_owner_alone(tmp_path: Path) -> None:
    data, backups = tmp_path / "data", tmp_path / "backups" / "shop"
    data.mkdir()
    (data / "orders").write_text("1\n")
    before = os.umask(permission.NOTHING_FOR_OTHERS)
    try:
        archive.create(
            {"data": data}, backups / "20260101", Pace(gently=False), backup="20260101", app="shop", version="",
            revision="", reason="",
        )  # fmt: skip
    finally:
        os.umask(before)

    assert modes(backups) == {0o700, 0o600}


def test_what_an_earlier_version_wrote_is_closed_and_links_are_not_followed(tmp_path: Path) -> None:
    outside, old = tmp_path / "outside", tmp_path / "shop" / "20250101"
    old.mkdir(parents=True)
    outside.write_text("of somebody else")
    outside.chmod(0o644)
    (old / "data.tar.gz").write_text("x")
    (old / "data.tar.gz").chmod(0o644)
    (old / "link").symlink_to(outside)

    permission.close(tmp_path / "shop")

    assert modes(tmp_path / "shop") == {0o700, 0o600}
    assert outside.stat().st_mode & 0o777 == 0o644

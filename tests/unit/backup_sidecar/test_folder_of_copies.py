"""The folder in which sidecars make copies: what a killed one left is removed, what another one uses is not."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.backup_sidecar.jail import LOCK, use


def test_a_copy_stays_while_anybody_uses_the_folder_however_old_it_looks(tmp_path: Path) -> None:
    first = use(tmp_path)
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "database").write_text("rows")
    # As after a clock that was set ahead.
    os.utime(tmp_path / "copy", (0, 0))

    second = use(tmp_path)
    os.close(first)
    third = use(tmp_path)

    assert (tmp_path / "copy" / "database").read_text() == "rows"
    os.close(second)
    os.close(third)


def test_what_a_killed_sidecar_left_is_removed_by_the_next_one_however_new_it_looks(tmp_path: Path) -> None:
    os.close(use(tmp_path))
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "database").write_text("rows")

    os.close(use(tmp_path))

    assert [one.name for one in tmp_path.iterdir()] == [LOCK]

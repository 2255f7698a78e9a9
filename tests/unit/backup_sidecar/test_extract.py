"""What is read out of a backup for people says what is missing in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.backup_sidecar import extract


@pytest.mark.parametrize(("more", "says"), [(0, ""), (7, "[the first 7 bytes left out]\n")])
def test_a_file_that_is_too_long_says_how_much_is_left_out(tmp_path: Path, more: int, says: str) -> None:
    file = tmp_path / "app.log"
    file.write_bytes(b"x" * more + b"y" * extract.MOST_BYTES)

    assert extract._end_of(file) == says + "y" * extract.MOST_BYTES

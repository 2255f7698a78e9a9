"""Reads out what a backup has for people: the configuration file and the app's log. Standard library only."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from orchestrator.backup_sidecar.content import unpack_into
from orchestrator.backup_sidecar.jail import scratch_of
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.files.beneath import Folder

PARTS = ("config", "logs")
MOST_BYTES = 8 * 2**20
"""So much of the end of each file is read."""
MOST_FILES = 10
"""A backup has one file of the configuration and one of the log."""


def texts(folder: Path, part: str, pace: Pace, jail: Path | None) -> dict[str, str]:
    """File name -> text of one part of a backup, every byte of which is checked. Raises DamagedBackup."""
    with tempfile.TemporaryDirectory(dir=scratch_of(jail)) as temporary:
        target = Path(temporary)
        with Folder.open(target) as into:
            unpack_into(folder, {part: into}, pace)
        files = sorted(path for path in target.rglob("*") if path.is_file() and not path.is_symlink())
        return {str(path.relative_to(target)): _end_of(path) for path in files[:MOST_FILES]}


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        left_out = max(0, size - MOST_BYTES)
        file.seek(left_out)
        text = file.read(MOST_BYTES).decode(errors="replace")
    return f"[the first {left_out} bytes left out]\n{text}" if left_out else text

"""Replacing the data by a backup, completely or not at all. Standard library only."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.backup_sidecar.archive import MEGABYTE, RESERVE, unpack
from orchestrator.backup_sidecar.copy import Pace, sync
from orchestrator.backup_sidecar.manifest import Manifest, NoRoom, read_manifest

FRESH, LEAVING, PUT_ASIDE = ".changeover-restore", ".changeover-leaving", ".changeover-before-restore"
"""Folders in a volume during a restore: the new data; the old data while it is moved; the old data after that."""


def restore(folder: Path, roots: dict[str, Path]) -> Manifest:
    """Replace the content of `roots` by the backup's. Nothing may write to them meanwhile.

    The backup is unpacked and checked beside the data before the first file is moved. The old data is kept until the
    new data is in place. Raises DamagedBackup or NoRoom, both before the data is changed.
    """
    undo_interrupted(roots)
    staging = next(iter(roots.values())) / FRESH
    manifest = read_manifest(folder)
    needed = manifest.data_size + RESERVE
    if (free := shutil.disk_usage(staging.parent).free) < needed:
        raise NoRoom(
            f"Not enough disk space to unpack the data: {free // MEGABYTE} MB free, {needed // MEGABYTE} MB required."
        )
    staging.mkdir()
    try:
        unpack(folder, staging, Pace(gently=False))
        for name, root in roots.items():
            _replace(root, staging / name)
        return manifest
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def undo_interrupted(roots: dict[str, Path]) -> None:
    """Undo an interrupted restore: move the old data back. Does nothing if there was none."""
    for root in roots.values():
        leaving, aside = root / LEAVING, root / PUT_ASIDE
        if aside.is_dir():
            for path in [one for one in root.iterdir() if one != aside]:
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        for old in (leaving, aside):
            if old.is_dir():
                for path in list(old.iterdir()):
                    path.rename(root / path.name)
                old.rmdir()
        shutil.rmtree(root / FRESH, ignore_errors=True)
        sync(root)


def _replace(root: Path, fresh: Path) -> None:
    leaving, aside = root / LEAVING, root / PUT_ASIDE
    leaving.mkdir()
    for path in [one for one in root.iterdir() if one.name not in (LEAVING, FRESH)]:
        path.rename(leaving / path.name)
    leaving.rename(aside)
    if fresh.is_dir():
        for path in list(fresh.iterdir()):
            shutil.move(path, root / path.name)
    sync(root)
    shutil.rmtree(aside)

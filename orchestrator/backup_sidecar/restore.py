"""Putting a backup in the place of the data, whole or not at all. Nothing but the standard library, for the sidecar."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.backup_sidecar.archive import MEGABYTE, RESERVE, unpack
from orchestrator.backup_sidecar.copy import Pace, sync
from orchestrator.backup_sidecar.manifest import Manifest, NoRoom, read_manifest

FRESH, LEAVING, PUT_ASIDE = ".changeover-restore", ".changeover-leaving", ".changeover-before-restore"
"""In a volume during a restore: what is to come; what is being put aside; and all of it, once it is."""


def restore(folder: Path, roots: dict[str, Path]) -> Manifest:
    """Replace what is in `roots`, which nobody may write meanwhile, by the backup.

    All is unpacked and checked beside the data before the first file is moved; what was there is put aside until the
    new files are in their place. Raises DamagedBackup or NoRoom, having touched nothing.
    """
    undo_interrupted(roots)
    staging = next(iter(roots.values())) / FRESH
    manifest = read_manifest(folder)
    needed = manifest.data_size + RESERVE
    if (free := shutil.disk_usage(staging.parent).free) < needed:
        raise NoRoom(
            f"The data needs {needed // MEGABYTE} MB to be unpacked, and {free // MEGABYTE} MB are free beside it."
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
    """Undo a restore that was stopped in the middle: what was there is there again."""
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

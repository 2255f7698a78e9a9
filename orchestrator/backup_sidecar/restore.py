"""Replacing the data by a backup, completely or not at all. Standard library only.

The app does not run meanwhile. Should something of it run all the same, nothing that it does leads out of its data.
"""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import ExitStack
from pathlib import Path

from orchestrator.backup_sidecar import owner
from orchestrator.backup_sidecar.content import unpack_into
from orchestrator.backup_sidecar.manifest import DUMP, MEGABYTE, RESERVE, Manifest, NoRoom, Unsuitable, read_manifest
from orchestrator.backup_sidecar.pace import Pace
from orchestrator.backup_sidecar.protocol import Protocol
from orchestrator.files.beneath import Folder

FRESH, LEAVING, PUT_ASIDE = ".changeover-restore", ".changeover-leaving", ".changeover-before-restore"
REPLACED = ".changeover-replaced"
"""Folders in a volume during a restore: the new data; the old data while it is moved, there or back; the old data while
the new data is moved; the old data when the new data is in place. Each becomes the next one by one rename, so that
whenever it is killed one of the two is whole."""


def restore(
    folder: Path,
    roots: dict[str, Path],
    *,
    emptying: bool = False,
    protocol: Protocol | None = None,
    pace: Pace | None = None,
) -> Manifest:
    """Replace the content of `roots` by the backup's. Nothing may write to them meanwhile.

    With a `protocol`, the entry in it is what decides: until it says that this is complete, all of it can be undone.

    The backup is unpacked and checked beside the data before the first file is moved. The old data is kept until the
    new data is in place. Raises DamagedBackup, NoRoom, or Unsuitable for a backup that has nothing of a root, all
    before the data is changed. With `emptying`, a backup that was made of an empty root empties it.
    """
    undo_interrupted(roots)
    if protocol:
        protocol.begin()
    with ExitStack() as stack:
        held = {name: stack.enter_context(Folder.open(root)) for name, root in roots.items()}
        _refuse(folder, held, emptying=emptying)
        try:
            staging = {name: stack.enter_context(_new_folder(root, FRESH)) for name, root in held.items()}
            for fresh in staging.values():
                owner.give_nothing_on(fresh)
            manifest = unpack_into(folder, staging, pace or Pace(gently=False))
            for name, root in held.items():
                owner.follow(root, staging[name])
                _replace(root, staging[name])
            if protocol:
                protocol.complete()
            for root in held.values():
                root.remove(REPLACED)
            return manifest
        finally:
            for root in held.values():
                root.remove(FRESH)


def _refuse(folder: Path, held: dict[str, Folder], *, emptying: bool) -> None:
    """The manifest that this reads is not kept while the archive is read with its own: it may be large."""
    manifest = read_manifest(folder)
    for name, root in held.items():
        _refuse_nothing(manifest, folder.name, name, root, emptying=emptying)
        _refuse_too_much(manifest, root)


def _refuse_nothing(manifest: Manifest, backup: str, name: str, root: Folder, *, emptying: bool) -> None:
    if manifest.has(name) or (emptying and name in manifest.roots):
        return
    if name == DUMP or root.names():
        what = "no dump of the app's database" if name == DUMP else "no files of the app's data volume"
        raise Unsuitable(f"{backup} has {what}. It does not replace what is there by nothing.")


def _refuse_too_much(manifest: Manifest, root: Folder) -> None:
    needed = manifest.disk_size + RESERVE
    if (free := shutil.disk_usage(root.descriptor).free) < needed:
        raise NoRoom(
            f"Not enough disk space to unpack the data: {free // MEGABYTE} MB free, {needed // MEGABYTE} MB required."
        )


def undo_interrupted(roots: dict[str, Path], protocol: Protocol | None = None) -> bool:
    """Undo an interrupted restore: move the old data back. Does nothing if there was none, or if it is complete.

    It is complete when the `protocol` says so; without one, a root is when its new data is in place. Returns whether
    the restore of the protocol is complete.
    """
    for path in roots.values():
        with Folder.open(path) as root:
            _remove_what_the_app_made(root)
            if protocol and protocol.is_begun and not protocol.is_complete and root.has_folder(REPLACED):
                root.move(REPLACED, root, PUT_ASIDE)
            if root.has_folder(PUT_ASIDE):
                for name in root.names():
                    if name != PUT_ASIDE:
                        root.remove(name)
                root.move(PUT_ASIDE, root, LEAVING)
            if root.has_folder(LEAVING):
                _move_all(root, LEAVING)
            root.remove(FRESH)
            root.remove(REPLACED)
            os.fsync(root.descriptor)
    return protocol is not None and protocol.is_complete


def _remove_what_the_app_made(root: Folder) -> None:
    """Something of the app's with one of our names would be taken for an interrupted restore."""
    for name in (FRESH, LEAVING, PUT_ASIDE, REPLACED):
        if root.has(name):
            status = root.status(name)
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                root.remove(name)


def _move_all(root: Folder, old: str) -> None:
    with root.folder(old) as leaving:
        for name in leaving.names():
            leaving.move(name, root)
    root.remove(old)


def _new_folder(root: Folder, name: str) -> Folder:
    root.new_folder(name)
    return root.folder(name)


def _replace(root: Folder, fresh: Folder) -> None:
    with _new_folder(root, LEAVING) as leaving:
        for name in root.names():
            if name not in (LEAVING, FRESH):
                root.move(name, leaving)
    root.move(LEAVING, root, PUT_ASIDE)
    for name in fresh.names():
        fresh.move(name, root)
    os.fsync(root.descriptor)
    root.move(PUT_ASIDE, root, REPLACED)

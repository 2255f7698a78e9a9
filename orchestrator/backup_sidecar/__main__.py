"""The command of the backup sidecar. The app's data is at /data, a database dump at /dump, the backups at /backups.

Exit code 0: the last line of output is the answer, as JSON. Exit code 1: the last line is the cause of the failure.
Exit code 3: the backup does not exist. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import sys
from dataclasses import asdict
from pathlib import Path

from orchestrator.backup_sidecar import archive, difference, permission, restore
from orchestrator.backup_sidecar.catalogue import NO_SUCH_BACKUP, Catalogue, NoSuchBackup
from orchestrator.backup_sidecar.copy import Pace
from orchestrator.backup_sidecar.manifest import DamagedBackup, NoRoom

BACKUPS = Path("/backups")
PUT_BACK = {archive.DATA: Path("/data"), archive.DUMP: Path("/dump")}
EXTRA = {"config": Path("/extra/config"), "logs": Path("/extra/logs")}
ABOUT = Path("/extra/about.json")
"""What the backup says of its release and its data, in the words of archive.create, and the backups that are `spare`.
It is a file, because an argument of a command has a limit of 128 KiB."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "job", choices=["list", "create", "verify", "compare", "restore", "remove-all", "undo-interrupted"]
    )
    for name in ("app", "backup"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--keep", type=int, default=1)
    parser.add_argument("--keeping", action="append", default=[])
    parser.add_argument("--gently", action="store_true")
    asked = parser.parse_args()
    try:
        answer = carry_out(asked)
    except NoSuchBackup:
        print(f"There is no backup '{asked.backup}'.")
        return NO_SUCH_BACKUP
    except (DamagedBackup, NoRoom) as error:
        print(error)
        return 1
    except (OSError, sqlite3.Error) as error:
        print(f"{error}.")
        return 1
    print(json.dumps(answer))
    return 0


def carry_out(asked: argparse.Namespace) -> object:
    catalogue = Catalogue(BACKUPS / asked.app)
    pace = Pace(gently=asked.gently)
    put_back = {name: root for name, root in PUT_BACK.items() if root.is_dir()}
    match asked.job:
        case "list":
            return [asdict(entry) for entry in catalogue.entries()]
        case "create":
            roots = put_back | {name: root for name, root in EXTRA.items() if root.is_dir()}
            about = json.loads(ABOUT.read_text())
            spare = about.pop("spare")
            restore.undo_interrupted(put_back)
            permission.close(BACKUPS / asked.app)
            os.umask(permission.NOTHING_FOR_OTHERS)
            number, folder = catalogue.next_number(), BACKUPS / asked.app / asked.backup
            manifest = archive.create(roots, folder, pace, app=asked.app, backup=asked.backup, number=number, **about)
            catalogue.prune(asked.keep, also=[*asked.keeping, asked.backup], spare=spare)
            return asdict(manifest)
        case "verify":
            return asdict(archive.verify(catalogue.folder(asked.backup), pace))
        case "compare":
            return asdict(difference.compare(catalogue.folder(asked.backup), put_back, pace))
        case "restore":
            return asdict(restore.restore(catalogue.folder(asked.backup), put_back))
        case "remove-all":
            return catalogue.remove_all()
        case _:
            restore.undo_interrupted(put_back)
            return None


if __name__ == "__main__":
    sys.exit(main())

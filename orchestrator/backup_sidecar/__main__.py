"""The command of the backup sidecar. It has the folders of one app alone.

They are: its backups at /backups, its data at /jail/data, a dump of its database at /jail/dump, and a place for copies
at /jail/scratch.

Lines that begin with PROGRESS (pace.py) say how far it is. Exit code 0: the last line of output is the answer, as JSON.
Exit code 1: the last line is the cause of the failure.
Exit code 3: the backup does not exist. Exit code 4: as 1, and the cause is the app's data; 5: its disk.

Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import sys
from dataclasses import asdict
from pathlib import Path

from orchestrator.backup_sidecar import archive, difference, disk, extract, owner, permission, restore
from orchestrator.backup_sidecar.catalogue import (
    DATA_NOT_WRITTEN,
    EXTRA_FOLDER,
    NO_SUCH_BACKUP,
    NOT_SUITABLE,
    Catalogue,
    NoSuchBackup,
)
from orchestrator.backup_sidecar.copied_file import OF_THE_DISK, code_of
from orchestrator.backup_sidecar.jail import SCRATCH, use
from orchestrator.backup_sidecar.manifest import DATA, DUMP, DamagedBackup, NoRoom, Unsuitable
from orchestrator.backup_sidecar.pace import PROGRESS, Pace
from orchestrator.backup_sidecar.protocol import NotRecorded, Protocol
from orchestrator.files.beneath import Folder, LeadsOutside

BACKUPS = Path("/backups")
JAIL = Path("/jail")
VOLUMES = Path("/volumes")
"""The volumes of the app, each in a folder, for a change of their owner."""
PUT_BACK = {name: JAIL / name for name in (DATA, DUMP)}
EXTRA = {name: BACKUPS / EXTRA_FOLDER / name for name in ("config", "logs")}
ABOUT = BACKUPS / EXTRA_FOLDER / "about.json"
"""What the backup says of its release and its data, in the words of archive.create, and the backups that are `spare`.
It is a file, because an argument of a command has a limit of 128 KiB."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "job",
        choices=[
            "list",
            "create",
            "verify",
            "extract",
            "compare",
            "restore",
            "remove",
            "remove-all",
            "remove-unfinished",
            "undo-interrupted",
            "own",
        ],
    )
    for name in ("app", "backup", "token"):
        parser.add_argument(f"--{name}", default="")
    parser.add_argument("--part", choices=extract.PARTS)
    parser.add_argument("--owner", choices=["give", "take-back"], default="give")
    parser.add_argument("--before", type=owner.Ids.of)
    parser.add_argument("--after", type=owner.Ids.of)
    parser.add_argument("--keep", type=int, default=1)
    parser.add_argument("--keeping", action="append", default=[])
    parser.add_argument("--gently", action="store_true")
    parser.add_argument("--emptying", action="store_true")
    asked = parser.parse_args()
    try:
        answer = carry_out(asked)
    except NoSuchBackup:
        print(f"There is no backup '{asked.backup}'.")
        return NO_SUCH_BACKUP
    except DamagedBackup as error:
        if not (BACKUPS / asked.backup).is_dir():  # a newer backup was made meanwhile, and this one removed
            return _failed(f"There is no backup '{asked.backup}' any more.", NO_SUCH_BACKUP)
        return _failed(str(error), 1)
    except NoRoom as error:
        return _failed(str(error), _code_of_disk(asked.job))
    except NotRecorded as error:
        return _failed(str(error), 1)
    except Unsuitable as error:
        return _failed(str(error), NOT_SUITABLE)
    except LeadsOutside as error:
        return _failed(f"{error}.", NOT_SUITABLE)
    except sqlite3.Error as error:
        return _failed(f"{error}.", 1 if code_of(error) in OF_THE_DISK else NOT_SUITABLE)
    except OSError as error:
        code = _code_of_disk(asked.job) if disk.takes_nothing(error) else 1
        return _failed(disk.in_words(error, asked.job), code)
    print(json.dumps(answer))
    return 0


def _code_of_disk(job: str) -> int:
    return DATA_NOT_WRITTEN if disk.of(job) == "data" else 1


def _failed(why: str, exit_code: int) -> int:
    """The cause is one line, also where the name of a file has more."""
    print(" ".join(why.split("\n")))
    return exit_code


def carry_out(asked: argparse.Namespace) -> object:
    catalogue = Catalogue(BACKUPS)
    pace = Pace(gently=asked.gently, tell=lambda says: print(f"{PROGRESS}{says}", flush=True))
    jail = _jail()
    protocol = Protocol(BACKUPS, asked.token) if asked.token else None
    put_back = {name: root for name, root in PUT_BACK.items() if root.is_dir()}
    match asked.job:
        case "list":
            return [asdict(entry) for entry in catalogue.entries()]
        case "create":
            return _create(asked, catalogue, put_back, pace, jail)
        case "verify":
            return asdict(archive.verify(catalogue.folder(asked.backup), pace).summary)
        case "extract":
            return extract.texts(catalogue.folder(asked.backup), asked.part, pace, jail)
        case "compare":
            return asdict(difference.compare(catalogue.folder(asked.backup), put_back, pace, jail))
        case "restore":
            folder = catalogue.folder(asked.backup)
            manifest = restore.restore(folder, put_back, emptying=asked.emptying, protocol=protocol, pace=pace)
            return asdict(manifest.summary)
        case "own":
            return {"changed": sum(_own(root, asked) for root in sorted(VOLUMES.iterdir()))}
        case "remove":
            return catalogue.remove(asked.backup)
        case "remove-all":
            return catalogue.remove_all()
        case "remove-unfinished":
            return catalogue.remove_unfinished()
        case _:
            return {"complete": restore.undo_interrupted(put_back, protocol)}


def _create(
    asked: argparse.Namespace, catalogue: Catalogue, put_back: dict[str, Path], pace: Pace, jail: Path | None
) -> object:
    roots = put_back | {name: root for name, root in EXTRA.items() if root.is_dir()}
    try:
        about = json.loads(ABOUT.read_text())
        spare = about.pop("spare")
        restore.undo_interrupted(put_back)
        permission.close(BACKUPS)
        os.umask(permission.NOTHING_FOR_OTHERS)
        about |= {"app": asked.app, "backup": asked.backup, "number": catalogue.next_number()}
        manifest = archive.create(roots, BACKUPS / asked.backup, pace, jail=jail, **about)
    finally:
        shutil.rmtree(BACKUPS / EXTRA_FOLDER, ignore_errors=True)
    catalogue.prune(asked.keep, also=[*asked.keeping, asked.backup], spare=spare)
    return asdict(manifest.summary)


def _own(volume: Path, asked: argparse.Namespace) -> int:
    change = owner.give if asked.owner == "give" else owner.take_back
    with Folder.open(volume) as root:
        return change(root, asked.before, asked.after)


def _jail() -> Path | None:
    """The jail, until this process ends; None for a job that needs none. Other sidecars of this app may use it, too."""
    scratch = JAIL / SCRATCH
    if not scratch.is_dir():
        return None
    for folder in (BACKUPS, scratch):
        folder.chmod(0o700)
    use(scratch)
    return JAIL


if __name__ == "__main__":
    sys.exit(main())

"""What runs in the sidecar, with the app's data at /data and the backups at /backups.

Ends with 0 and the manifest as its last line, or with 1 and the reason. Nothing but the standard library.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from dataclasses import asdict
from pathlib import Path

from orchestrator.backups import archive

DATA, BACKUPS = Path("/data"), Path("/backups")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("job", choices=["create", "verify", "restore"])
    for name in ("app", "backup", "version", "revision", "reason"):
        parser.add_argument(f"--{name}", default="")
    asked = parser.parse_args()
    folder = BACKUPS / asked.app / asked.backup
    try:
        if asked.job == "create":
            about = {name: getattr(asked, name) for name in ("backup", "app", "version", "revision", "reason")}
            manifest = archive.create(DATA, folder, **about)
        elif asked.job == "verify":
            manifest = archive.verify(folder)
        else:
            manifest = archive.restore(folder, DATA)
    except (archive.DamagedBackup, archive.NoRoom) as error:
        print(error)
        return 1
    except (OSError, sqlite3.Error) as error:
        print(f"{asked.job} failed: {error}")
        return 1
    print(json.dumps(asdict(manifest)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

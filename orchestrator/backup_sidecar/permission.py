"""Who may read backups: root alone. They contain the app's data and the configuration. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path

FOLDER, FILE = 0o700, 0o600
NOTHING_FOR_OTHERS = 0o077
"""The umask while a backup is written."""


def close(folder: Path) -> None:
    """Make a folder, and what earlier versions wrote into it, readable by its owner alone. Links are not followed."""
    if not folder.is_dir():
        return
    for place, folders, files in os.walk(folder):
        os.chmod(place, FOLDER)
        for name in (*folders, *files):
            path = Path(place, name)
            if not path.is_symlink():
                path.chmod(FOLDER if path.is_dir() else FILE)

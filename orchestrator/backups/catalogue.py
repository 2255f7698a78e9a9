"""Which backups there are, and which may go."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.backups.archive import DamagedBackup, Manifest, read_manifest
from orchestrator.errors import UnknownBackup


class Catalogue:
    """The folder that all backups lie in, one folder an app, one below it a backup."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, app: str) -> list[Manifest]:
        """The newest first. Folders without a readable manifest are no backups and are left out."""
        found = []
        for folder in (self._folder / app).glob("*"):
            if folder.is_dir() and folder.suffix != ".new":
                try:
                    found.append(read_manifest(folder))
                except DamagedBackup:
                    continue
        return sorted(found, key=lambda manifest: manifest.id, reverse=True)

    def get(self, app: str, backup: str) -> Manifest:
        """The one named, or the newest for an empty name. Raises UnknownBackup."""
        known = self.of(app)
        wanted = next((one for one in known if one.id == backup or not backup), None)
        if wanted is None:
            raise UnknownBackup(f"{app} has no backup '{backup}'.", f"See: changeover backup list {app}")
        return wanted

    def prune(self, app: str, keep: int) -> list[str]:
        """Remove all but the newest `keep`, and what an interrupted backup left; gives the ids removed."""
        for unfinished in (self._folder / app).glob("*.new"):
            shutil.rmtree(unfinished)
        gone = [one.id for one in self.of(app)[max(1, keep) :]]
        for backup in gone:
            shutil.rmtree(self._folder / app / backup)
        return gone

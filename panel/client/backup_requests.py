"""The requests of backups."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar

from panel.client.backup_model import ConfigurationDifference, DeletedBackup, Extract, PutBack
from panel.client.model import Backup, Backups, Deployment
from panel.client.value import Value

V = TypeVar("V", bound=Value)


class BackupRequests:
    """`Client` inherits these. Every method raises a ClientError."""

    @abstractmethod
    async def _read(self, kind: type[V], method: str, path: str, **request: Any) -> V:  # Any: as httpx takes them
        ...

    async def backups(self, app: str) -> tuple[Backup, ...]:
        """The app's backups, the newest first."""
        return (await self._read(Backups, "GET", f"/v1/apps/{app}/backups")).backups

    async def create_backup(self, app: str) -> Backup:
        return await self._read(Backup, "POST", f"/v1/apps/{app}/backups", timeout=None)

    async def verify_backup(self, app: str, backup: str) -> Backup:
        """Let the orchestrator read and check every byte of a backup. Raises Failed when it is damaged."""
        return await self._read(Backup, "POST", f"/v1/apps/{app}/backups/{backup}/verify", timeout=None)

    async def delete_backup(self, app: str, backup: str) -> DeletedBackup:
        """Delete a backup for ever. Raises Refused where it is needed."""
        return await self._read(DeletedBackup, "DELETE", f"/v1/apps/{app}/backups/{backup}", timeout=None)

    async def restore_backup(self, app: str, backup: str, *, release: bool = False) -> Deployment:
        """Replace the data by a backup's; with `release`, deploy the backup's release on it."""
        path, wanted = f"/v1/apps/{app}/backups/{backup}/restore", {"release": True} if release else None
        return await self._read(Deployment, "POST", path, json=wanted, timeout=None)

    async def extract_backup(self, app: str, backup: str, part: str) -> Extract:
        """The files of a backup that are for people. `part`: `config` or `logs`."""
        path = f"/v1/apps/{app}/backups/{backup}/extract"
        return await self._read(Extract, "GET", path, params={"part": part}, timeout=None)

    async def configuration_difference(self, app: str, backup: str) -> ConfigurationDifference:
        """How the app's section of the configuration differs from that of a backup."""
        path = f"/v1/apps/{app}/backups/{backup}/configuration"
        return await self._read(ConfigurationDifference, "GET", path, timeout=None)

    async def put_back_configuration(self, app: str, backup: str, digest: str) -> PutBack:
        """Put the app's section of a backup into the file with this digest. Raises Refused if it is another one."""
        path = f"/v1/apps/{app}/backups/{backup}/configuration"
        return await self._read(PutBack, "POST", path, json={"digest": digest}, timeout=None)

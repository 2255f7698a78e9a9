"""The events of backups that somebody checked or deleted. Their kinds are in events.py."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.events import EventKind, Occurrence


@dataclass(frozen=True)
class BackupVerified(Occurrence):
    """Every byte of a backup was read and compared with its checksums. `problem`: why it is
    not as it should be, or could not be read; empty if it is."""

    kind = EventKind.BACKUP_VERIFIED
    backup: str
    problem: str = ""


@dataclass(frozen=True)
class BackupDeleted(Occurrence):
    """A person deleted a backup."""

    kind = EventKind.BACKUP_DELETED
    backup: str
    by: str

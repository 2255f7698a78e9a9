"""What becomes of backups, in sentences: said before it is done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from border.plain import one_line
from panel.client.model import Backup
from panel.text.age import ago
from panel.text.counted import counted
from panel.text.size import size


def what_is_deleted(backup: Backup, all_backups: Sequence[Backup], now: datetime) -> list[str]:
    """What goes, and what is left to restore."""
    of = f" of {one_line(backup.version)}" if backup.version else ""
    made = f"The backup{of} was made {ago(backup.created_at, now)}."
    lines = [f"{made} It is deleted for ever; {size(backup.archive_size)} become free."]
    others = [one for one in all_backups if one.id != backup.id and not one.problem]
    if not others:
        lines.append("No other undamaged backup is left: nothing can be restored then.")
    else:
        newest = others[0]
        lines.append(f"{counted(len(others), 'backup')} left, the newest made {ago(newest.created_at, now)}.")
    return lines


def loss(backup: Backup, now: datetime) -> list[str]:
    """What a restore replaces."""
    lines = [
        f"Backup {one_line(backup.id)} was made {ago(backup.created_at, now)}. "
        f"Everything that {one_line(backup.app)} wrote since then is replaced; it is backed up first."
    ]
    if backup.releases_since:
        lines.append(f"Releases since then: {one_line(', '.join(backup.releases_since))}.")
    return lines

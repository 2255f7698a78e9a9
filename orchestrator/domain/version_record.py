"""What is remembered of a version that a source offered, and of one that a person does not want."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class VersionRecord:
    """`seen_at`: when a check found it first. `dismissed_at`: when a person hid it for 24 hours. `skipped_at`, `_by`:
    when and who decided that it is never offered. `told_at`: when a notice of it was queued."""

    version: str
    seen_at: datetime
    dismissed_at: datetime | None = None
    skipped_at: datetime | None = None
    skipped_by: str = ""
    told_at: datetime | None = None

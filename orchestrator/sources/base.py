"""Where updates come from: the protocol of a source, and the one home that each kind of source has.

To add a source: a file beside this one with a class that has these methods, its case in `sources/open.py`, and its keys
in `config/update_schema.py` (with its name in AVAILABLE_SOURCES there).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from orchestrator.domain.release import Change, Release


@dataclass(frozen=True)
class SourceRelease:
    """A release as its source offers it, not built yet. `released_at` is the moment of its commit or publication."""

    release: Release
    released_at: datetime


class Source(Protocol):
    """One app's source of updates. Every method raises StepFailed when the source does not answer as it must."""

    async def origin(self) -> str:
        """Where the source is, for people; without credentials."""

    async def newest(self, ref: str = "") -> SourceRelease:
        """Ask the source now for what `ref` names: a branch, tag, version or commit. Empty: what the app follows."""

    async def changes(self, since: str, until: str) -> tuple[Change, ...]:
        """What changed after one source revision up to another, the newest first; empty where that is not known."""

    async def fetch(self, source_revision: str, folder: Path) -> None:
        """Write exactly this revision into `folder`, which is made anew."""

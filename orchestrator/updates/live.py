"""The release of an app that is live now, and what a deployment tried, by the journal."""

from __future__ import annotations

from orchestrator.domain.release import Release
from orchestrator.journal.store import Journal


def live_release(journal: Journal, app: str) -> Release | None:
    """None before its first deployment is live. Raises JournalError."""
    slots = journal.slots(app)
    return journal.deployment(slots.active).release if slots.active else None


def live_revision(journal: Journal, app: str) -> str:
    """Its source revision; empty as above."""
    return release.source_revision if (release := live_release(journal, app)) else ""


def tried_revision(journal: Journal, deployment: str) -> str:
    """The source revision that a deployment tried; empty if it did not come so far. Raises JournalError."""
    return release.source_revision if (release := journal.deployment(deployment).release) else ""

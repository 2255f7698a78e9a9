"""Versions that nobody wants now: skipped by a person, or not as old as the configuration says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from orchestrator.config.update_schema import UpdatePolicy
from orchestrator.domain.update import Update
from orchestrator.updates.held_back import HeldBack, is_skipped, too_young
from orchestrator.updates.remembered import Remembered


class Wanted:
    """Decides by what is remembered, the configuration and the clock."""

    def __init__(self, remembered: Remembered, clock: Callable[[], datetime]) -> None:
        self._remembered = remembered
        self._now = clock

    def too_young_until(
        self, app: str, policy: UpdatePolicy | None, version: str, released_at: datetime | None
    ) -> datetime | None:
        """When a version is as old as it must be; None if it is."""
        if policy is None or not policy.minimum_age:
            return None
        at = self._remembered.old_enough_at(app, version, released_at, policy.minimum_age)
        return at if at > self._now() else None

    def may_be_offered(self, app: str, policy: UpdatePolicy | None, version: str, released_at: datetime | None) -> bool:
        """Whether a version is neither skipped nor too young. Raises JournalError."""
        is_skipped = self._remembered.skipped(app, version) is not None
        return not is_skipped and self.too_young_until(app, policy, version, released_at) is None

    def why_not(self, app: str, policy: UpdatePolicy | None, update: Update) -> HeldBack | None:
        """Why the version is not wanted now; None if it is. Raises JournalError."""
        if record := self._remembered.skipped(app, update.release.version):
            return is_skipped(app, update.release, record)
        at = self.too_young_until(app, policy, update.release.version, update.released_at)
        return too_young(app, update, at) if at else None

"""What is remembered of the versions that checks found: dismissed for 24 hours, skipped for ever, seen first when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from orchestrator.domain.version_record import VersionRecord
from orchestrator.errors import Refused
from orchestrator.journal.store import Journal

DISMISSED_FOR_S = 24 * 3600.0
MOST_SKIPPED = 500
"""Of each app. Nobody decides on so many by hand."""
LONGEST = 200
"""Characters of a version by which it is remembered."""


class Remembered:
    """Kept in the journal, over restarts. Versions count as the same with and without a `v` before the number.

    Within one run, the 24 hours are those of a clock that nobody sets; after a restart, what is left of them by the
    date.
    """

    def __init__(self, journal: Journal, clock: Callable[[], datetime], elapsed: Callable[[], float]) -> None:
        self._journal = journal
        self._now = clock
        self._elapsed = elapsed
        self._dismissed: dict[tuple[str, str], tuple[datetime, float]] = {}
        """By app and version: the date of the dismissal, and the moment as `elapsed` counts."""

    def of(self, app: str, version: str) -> VersionRecord | None:
        """None if nothing is remembered. Raises JournalError."""
        return self._journal.versions(app).get(version[:LONGEST])

    async def see(self, app: str, version: str) -> None:
        """A check found this version. Raises JournalError."""
        record, moment = self.of(app, version), self._now()
        if record is None or record.seen_at > moment:  # the clock was wrong then
            await self._save(app, version, seen_at=moment)

    def is_dismissed(self, app: str, version: str) -> bool:
        record = self.of(app, version)
        if record is None or record.dismissed_at is None:
            return False
        known = self._dismissed.get((app, version))
        if known is None or known[0] != record.dismissed_at:
            ago = min(max((self._now() - record.dismissed_at).total_seconds(), 0.0), DISMISSED_FOR_S)
            known = self._dismissed[app, version] = (record.dismissed_at, self._elapsed() - ago)
        return self._elapsed() - known[1] < DISMISSED_FOR_S

    async def dismiss(self, app: str, version: str) -> None:
        """Hide it for 24 hours from now. Raises JournalError."""
        await self._save(app, version, dismissed_at=self._now())
        # What the journal gives back may be rounded.
        if (kept := self.of(app, version)) and kept.dismissed_at:
            self._dismissed[app, version] = (kept.dismissed_at, self._elapsed())

    def skipped(self, app: str, version: str) -> VersionRecord | None:
        """The record by which this version is never offered; None if it may be."""
        records = self._journal.versions(app).values()
        return next((one for one in records if one.skipped_at and is_same(one.version, version)), None)

    async def skip(self, app: str, version: str, by: str) -> None:
        """Never offer this version. Raises JournalError, and Refused where too many are skipped."""
        if self.skipped(app, version):
            return
        if sum(1 for one in self._journal.versions(app).values() if one.skipped_at) >= MOST_SKIPPED:
            raise Refused(
                f"{version} is not skipped: {MOST_SKIPPED} versions of {app} are already.",
                "Offer fewer versions instead: set version_range in the section of the app's source.",
            )
        await self._save(app, version, skipped_at=self._now(), skipped_by=by[:LONGEST])

    async def offer_again(self, app: str, version: str) -> bool:
        """Undo `skip`. Whether the version was skipped. Raises JournalError."""
        record = self.skipped(app, version)
        if record:
            await self._save(app, record.version, skipped_at=None, skipped_by="")
        return record is not None

    def old_enough_at(self, app: str, version: str, released_at: datetime | None, minimum_age_s: float) -> datetime:
        """When a version is as old as this: since its release; since a check saw it first, where the release date is
        not known, or is later than that."""
        record = self.of(app, version)
        seen_at = record.seen_at if record else self._now()
        since = released_at if released_at and released_at <= seen_at else seen_at
        return since + timedelta(seconds=minimum_age_s)

    async def _save(self, app: str, version: str, **changed: Any) -> None:  # Any: as the record has them
        record = replace(self.of(app, version) or VersionRecord(version[:LONGEST], self._now()), **changed)
        await self._journal.beside(self._journal.save_version, app, record, *changed)


def is_same(one: str, other: str) -> bool:
    """Whether two names are of one version: with and without a `v`."""
    return _number(one[:LONGEST]) == _number(other[:LONGEST])


def _number(version: str) -> str:
    return version[1:] if version[:1] in ("v", "V") and version[1:2].isdigit() else version

"""A source of updates in memory."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from orchestrator.domain.changelog import Changelog
from orchestrator.domain.release import Change, Release
from orchestrator.errors import StepFailed
from orchestrator.sources.base import SourceRelease, SourceVersion

FIRST = datetime(2026, 1, 1, tzinfo=UTC)


class FakeSource:
    """Implements the Source protocol. Revisions are r1, r2, and so on; each is the newest when it is published.

    `schema` of a revision is what stands in the file of that name in its tree.
    """

    def __init__(self) -> None:
        self._releases: list[SourceRelease] = []
        self._schemas: dict[str, str] = {}
        self.is_away = False
        self.asked = 0
        self.forgotten = 0
        self._withdrawn = 0

    def withdraw(self) -> None:
        """The newest release is taken back, as by a forced push: the one before it is the newest again."""
        self._withdrawn += 1

    def publish(self, *, schema: str = "") -> Release:
        number = len(self._releases) + 1
        release = Release(f"v{number}", f"r{number}")
        self._releases.append(SourceRelease(release, FIRST + timedelta(hours=number)))
        self._schemas[release.source_revision] = schema
        return release

    @property
    def newest_version(self) -> str:
        return self._releases[-1].release.version

    # Of the protocol

    async def origin(self) -> str:
        return "https://git.test/shop"

    async def newest(self, ref: str = "") -> SourceRelease:
        self.asked += 1
        if self.is_away:
            raise StepFailed("https://git.test/shop does not answer.", "Check update.git.remote.")
        if not ref:
            return self._releases[-1 - self._withdrawn]
        for one in self._releases:
            if ref in (one.release.version, one.release.source_revision):
                return one
        raise StepFailed(f"https://git.test/shop has no '{ref}'.", "Check the --ref that was given.")

    async def versions(self) -> tuple[SourceVersion, ...]:
        there = self._releases[: len(self._releases) - self._withdrawn]
        return tuple(SourceVersion(one.release.version, one.release.version, one.released_at) for one in there[::-1])

    def forget(self) -> None:
        self.forgotten += 1

    async def changelog(self, since: str, until: str) -> Changelog:
        revisions = [one.release.source_revision for one in self._releases]
        if since not in revisions:
            return Changelog()
        between = revisions[revisions.index(since) + 1 : revisions.index(until) + 1]
        changes = (Change(revision, "feat", "", f"what {revision} changes") for revision in reversed(between))
        return Changelog(tuple(changes))

    async def is_older(self, revision: str, than: str) -> bool:
        revisions = [one.release.source_revision for one in self._releases]
        known = revision in revisions and than in revisions
        return known and revisions.index(revision) <= revisions.index(than)

    async def fetch(self, source_revision: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Dockerfile").write_text("FROM scratch\n")
        (folder / "schema").write_text(self._schemas[source_revision])

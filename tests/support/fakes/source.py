"""A source in memory: its newest release, and the schema revisions that this brings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.domain.release import Change, Release
from orchestrator.errors import StepFailed
from orchestrator.sources.base import SourceRelease

RELEASED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class FakeSource:
    """Implements the Source protocol. `problem` is raised by whoever asks; `asked` counts questions to the remote."""

    number: int = 1
    schema: list[str] = field(default_factory=list)
    problem: str = ""
    asked: int = 0

    def release(self, *revisions: str) -> None:
        """A newer release, which brings these schema revisions beyond those before."""
        self.number += 1
        self.schema += revisions

    async def origin(self) -> str:
        return "a source in memory"

    async def newest(self, ref: str = "") -> SourceRelease:
        self.asked += 1
        if self.problem:
            raise StepFailed(self.problem, "Try again.")
        return SourceRelease(Release(f"v{self.number}", ref or f"{self.number:08}{0:032}"), RELEASED)

    async def changes(self, since: str, until: str) -> tuple[Change, ...]:
        return (Change(until[-7:], "feat", "", "something new"),) if since else ()

    async def fetch(self, source_revision: str, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Dockerfile").write_text("FROM scratch\n")
        (folder / "schema").write_text("\n".join(self.schema))

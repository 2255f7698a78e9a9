"""An update as the API returns it. Users' scripts rely on these names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel, Field

from orchestrator.domain.changelog import DependencyChange
from orchestrator.domain.release import Change
from orchestrator.domain.update import Update
from orchestrator.updates.held_back import HeldBack


class UpdateView(BaseModel):
    """A release that can be deployed, and what it brings. `waits`: that it installs itself, and when; empty if it does
    not, or does not wait."""

    version: str
    revision: str
    released_at: datetime | None
    checked_at: datetime
    origin: str
    changes: list[Change] = Field(description="The newest first, without merges.")
    changes_left_out: int = Field(description="How many more changes there are than are listed.")
    dependencies: list[DependencyChange] | None = Field(
        description="By their names. `before` is empty for one that was added, `after` for one that was removed. "
        "Null: the source does not know them."
    )
    dependencies_left_out: int = Field(description="How many more dependencies differ than are listed.")
    notes: list[str] = Field(description="What the lists do not say, such as that the history was rewritten.")
    download_bytes: int | None = Field(description="How much there is to fetch. Null: not known.")
    build_bytes: int | None = Field(
        description="The size of the layers that the last build added to the image before it. Null: not known."
    )
    expected_seconds: float | None = Field(
        description="From the start of the deployment to its switch: the sum of each step's median in earlier "
        "deployments. Null: not known."
    )
    expected_by: int = Field(description="How many earlier deployments `expected_seconds` was found by.")
    waits: str = ""


class HeldBackView(BaseModel):
    """The newest release of the source, which is not offered as an update: why, and how to deploy it nevertheless.
    `dismissed`: a person does not want to be shown it in these 24 hours."""

    version: str
    revision: str
    says: str
    remedy: str
    dismissed: bool


def held_back_view(held_back: HeldBack | None, is_dismissed: Callable[[str], bool]) -> HeldBackView | None:
    """`is_dismissed`: of a version. Raises JournalError."""
    if held_back is None:
        return None
    release = held_back.release
    return HeldBackView(
        version=release.version,
        revision=release.source_revision,
        says=held_back.says,
        remedy=held_back.remedy,
        dismissed=is_dismissed(release.version),
    )


def update_view(update: Update | None, waits: str = "") -> UpdateView | None:
    if update is None:
        return None
    log, expected = update.changelog, update.expected
    return UpdateView(
        version=update.release.version,
        revision=update.release.source_revision,
        released_at=update.released_at,
        checked_at=update.checked_at,
        origin=update.origin,
        changes=list(log.changes),
        changes_left_out=log.changes_left_out,
        dependencies=None if log.dependencies is None else list(log.dependencies),
        dependencies_left_out=log.dependencies_left_out,
        notes=list(log.notes),
        download_bytes=log.download_bytes,
        build_bytes=expected.build_bytes,
        expected_seconds=expected.seconds,
        expected_by=expected.deployments,
        waits=waits,
    )

"""An update as the API returns it. Users' scripts rely on these names."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from orchestrator.domain.release import Change, Update
from orchestrator.updates.held_back import HeldBack


class UpdateView(BaseModel):
    version: str
    revision: str
    released_at: datetime | None
    checked_at: datetime
    origin: str
    changes: list[Change]


class HeldBackView(BaseModel):
    """The newest release of the source, which is not offered as an update: why, and how to deploy it nevertheless."""

    version: str
    revision: str
    says: str
    remedy: str


def held_back_view(held_back: HeldBack | None) -> HeldBackView | None:
    if held_back is None:
        return None
    release = held_back.release
    return HeldBackView(
        version=release.version, revision=release.source_revision, says=held_back.says, remedy=held_back.remedy
    )


def update_view(update: Update | None) -> UpdateView | None:
    if update is None:
        return None
    return UpdateView(
        version=update.release.version,
        revision=update.release.source_revision,
        released_at=update.released_at,
        checked_at=update.checked_at,
        origin=update.origin,
        changes=list(update.changes),
    )

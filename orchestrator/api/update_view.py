"""An update as the API returns it. Users' scripts rely on these names."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from orchestrator.domain.release import Change, Update


class UpdateView(BaseModel):
    version: str
    revision: str
    released_at: datetime
    checked_at: datetime
    origin: str
    changes: list[Change]


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

"""Whether there is a way down: an app's own command that reverts schema revisions."""

from __future__ import annotations

from orchestrator.apps.context import AppContext
from orchestrator.domain.schema_history import SchemaRevision


def can_be_reverted(context: AppContext, revisions: tuple[SchemaRevision, ...]) -> bool:
    """Whether the app has a down command, and has reported the revision to return to, if that needs one."""
    settings = context.migrations
    if settings is None or settings.down is None:
        return False
    return "{revision}" not in settings.down or bool(revisions[0].previous)

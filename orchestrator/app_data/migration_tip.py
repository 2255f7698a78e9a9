"""What to do about a migration command that failed, where its output or its end says it."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.apps.context import AppContext
from orchestrator.domain.schema_history import applied, names


def migration_tip(context: AppContext, last: Iterable[str], *, oom: bool) -> str:
    """`last`: the last lines of its output. Empty where nothing is known."""
    if oom:
        return f"Raise run.memory of {context.name}."
    if any("Can't locate revision" in line for line in last):
        has = names(applied(context.journal.migrations(context.name)))
        return f"The data has schema revisions {has}. Add the migration files that this release does not have."
    return ""

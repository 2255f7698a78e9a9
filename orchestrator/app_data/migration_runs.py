"""The migration runs on record: which deployment made them, and what it applied."""

from __future__ import annotations

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment, Kind
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, SchemaRevision, knows


def brought(context: AppContext, revision: SchemaRevision) -> Deployment | None:
    """The deployment that last applied a schema revision, or began to; None if there is none on record.

    The undo of a rollback applies what the release before knows, with its image, and not with that of the standby.
    """
    runs = context.journal.migrations(context.name)
    found = next((run for run in reversed(runs) if run.direction is Direction.UP and run.has(revision)), None)
    if found is None:
        return None
    by = context.journal.deployment(found.deployment)
    before = context.journal.deployment(by.previous) if by.kind is Kind.ROLLBACK and by.previous else None
    return before if before and knows(revision, before.known_run, before.live_at, runs) else by


def applied_by(context: AppContext, deployment: Deployment) -> tuple[SchemaRevision, ...]:
    """The schema revisions that a deployment applied, also those that were reverted since."""
    mine = [run for run in context.journal.migrations(context.name) if run.deployment == deployment.id]
    done = [run for run in mine if run.direction is Direction.UP and run.outcome is Outcome.DONE]
    return tuple(one for run in done for one in run.revisions)


def runs_of(context: AppContext, deployment: Deployment) -> list[MigrationRun]:
    """The migration runs that a deployment began, restores included, in the order of their start."""
    return [run for run in context.journal.migrations(context.name) if run.deployment == deployment.id]

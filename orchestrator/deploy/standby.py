"""What a rollback goes to, or why there is nothing to go to."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.app_data import migrations
from orchestrator.apps import readiness
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.schema_history import SchemaChange, names
from orchestrator.errors import Refused


@dataclass(frozen=True)
class Standby:
    """The goal of a rollback, what the data needs for it, and whether it answers already: a warm one does."""

    deployment: Deployment
    change: SchemaChange
    answers: bool


async def find_standby(context: AppContext) -> Standby:
    """Raises Refused when there is nothing to roll back to, or no way to it."""
    standby = context.standby
    if standby is None:
        raise Refused(
            f"{context.name} has no standby release to roll back to.", "There is one after the second deployment."
        )
    change = migrations.needed_by(context, standby)
    if not can_take_back(context, change):
        raise Refused(no_way_down(context, standby, change), way_by_restore(context))
    if change.is_empty and context.config.standby == "warm" and await readiness.answers_now(context, standby):
        return Standby(standby, change, answers=True)
    if await context.engine.status(standby.container) is None:
        commit = standby.release.source_revision[:12] if standby.release else ""
        raise Refused(
            f"The standby container {standby.container} of {context.name} does not exist any more.",
            f"Deploy its release again: changeover deploy {context.name} --ref {commit}",
        )
    return Standby(standby, change, answers=False)


def standby_for_failover(context: AppContext) -> Deployment | None:
    """The standby, where it may serve while the active release does not answer: warm, and both fit the data."""
    active, standby = context.active, context.standby
    if active is None or standby is None or context.config.standby != "warm":
        return None
    fit = all(migrations.needed_by(context, one).is_empty for one in (active, standby))
    return standby if fit else None


def can_take_back(context: AppContext, change: SchemaChange) -> bool:
    """Whether the app has a command for what must be taken back."""
    return not change.down or (context.migrations is not None and context.migrations.down is not None)


def no_way_down(context: AppContext, standby: Deployment, change: SchemaChange) -> str:
    """Why a rollback is refused, in a sentence."""
    return (
        f"Rollback across an incompatible migration needs migrate.down: {standby.version} cannot run on the schema "
        f"since {names(change.down)}, and {context.name} has no such command."
    )


def way_by_restore(context: AppContext) -> str:
    """What can be done in place of a rollback that is refused."""
    active = context.active
    if active is None or not active.backup or active.live_at is None:
        return f"Restore an earlier backup; 'changeover backup list {context.name}' shows them."
    minutes = max(1, round((now() - active.live_at).total_seconds() / 60))
    return (
        f"Backup {active.backup}, made before {active.version} went live, can be restored instead. What was written in "
        f"the {minutes} min since is then only in another backup: "
        f"changeover rollback {context.name} --restore {active.backup}"
    )

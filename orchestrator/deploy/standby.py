"""The standby as the target of a rollback, or why a rollback is not possible."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from orchestrator.app_data import migrations
from orchestrator.apps import readiness
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.schema_history import SchemaChange, names
from orchestrator.errors import EngineError, Refused


@dataclass(frozen=True)
class Standby:
    """The target of a rollback, the schema change that it needs, and whether it answers with success now."""

    deployment: Deployment
    change: SchemaChange
    answers: bool


async def find_standby(context: AppContext) -> Standby:
    """The target of a rollback. Raises Refused when there is none or the data cannot be brought to its schema."""
    standby = context.standby
    if standby is None:
        raise Refused(f"{context.name} has no standby release to roll back to.", "Deploy a second release first.")
    change = migrations.needed_by(context, standby)
    if not can_take_back(context, change):
        raise Refused(no_way_down(context, standby, change), way_by_restore(context))
    if change.is_empty and context.config.standby == "warm" and await readiness.answers_now(context, standby):
        return Standby(standby, change, answers=True)
    if not _is_paused(context, change) and await context.engine.status(standby.container) is None:
        raise _gone(context, standby)
    return Standby(standby, change, answers=False)


async def awaken(context: AppContext, standby: Standby) -> Standby:
    """Wake a paused standby and probe it, before its rollback is recorded: each of its milliseconds counts.

    Nothing may park it meanwhile. Raises Refused when its container does not exist, and EngineError.
    """
    if standby.answers or not _is_paused(context, standby.change):
        return standby
    container = standby.deployment.container
    # The kernel accepts the probe's connection before the process runs.
    probe = asyncio.create_task(readiness.answers_now(context, standby.deployment))
    try:
        await context.engine.wake(container)
        return replace(standby, answers=await probe)
    except EngineError:
        if await context.engine.status(container) is None:
            raise _gone(context, standby.deployment) from None
        raise
    finally:
        probe.cancel()


def _is_paused(context: AppContext, change: SchemaChange) -> bool:
    return change.is_empty and context.config.standby == "paused"


def _gone(context: AppContext, standby: Deployment) -> Refused:
    commit = standby.release.source_revision[:12] if standby.release else ""
    return Refused(
        f"The standby container {standby.container} of {context.name} does not exist any more.",
        f"Deploy its release again: changeover deploy {context.name} --ref {commit}",
    )


def standby_for_failover(context: AppContext) -> Deployment | None:
    """The standby, if it may answer after the active release ended: both can run on the data as it is."""
    active, standby = context.active, context.standby
    if active is None or standby is None:
        return None
    fit = all(migrations.needed_by(context, one).is_empty for one in (active, standby))
    return standby if fit else None


def can_take_back(context: AppContext, change: SchemaChange) -> bool:
    """Whether the schema change can be made: it reverts nothing, or the app has a `migrate.down` command."""
    return not change.down or (context.migrations is not None and context.migrations.down is not None)


def no_way_down(context: AppContext, standby: Deployment, change: SchemaChange) -> str:
    """The sentence that says why a rollback is refused."""
    return (
        f"Rollback across an incompatible migration needs migrate.down: {standby.version} cannot run on schema "
        f"revision {names(change.down)}, and {context.name} has no migrate.down command."
    )


def way_by_restore(context: AppContext) -> str:
    """The sentence that says what to do instead of a rollback that is refused."""
    active = context.active
    if active is None or not active.backup or active.live_at is None:
        return f"Restore an earlier backup. List them: changeover backup list {context.name}"
    minutes = max(1, round((now() - active.live_at).total_seconds() / 60))
    return (
        f"Restore backup {active.backup}, made before {active.version} went live {minutes} min ago. Data written since "
        f"then is kept in a new backup. Run: "
        f"changeover rollback {context.name} --restore {active.backup}"
    )

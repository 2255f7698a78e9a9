"""The standby as the target of a rollback, or why a rollback is not possible."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import structlog

from border.revision import option
from orchestrator.app_data import migrations
from orchestrator.app_data.way_down import can_be_reverted
from orchestrator.apps import readiness
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.domain.age import ago
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.schema_history import SchemaChange, names
from orchestrator.errors import EngineError, Refused
from orchestrator.host.uninterrupted import in_spite_of_cancels

log = structlog.get_logger()


@dataclass(frozen=True)
class Standby:
    """The target of a rollback, the schema change that it needs, and whether it answers with success now.

    `paused_as` is the id of its container if that is paused and can run on the data as it is. `awake`: whether it
    answers after it was unpaused, as soon as that is known.
    """

    deployment: Deployment
    change: SchemaChange
    answers: bool
    paused_as: str = ""
    awake: Awaitable[bool] | None = None


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
    status = await context.engine.status(standby.container)
    if status is None:
        again = option(standby.release.source_revision) if standby.release else ""
        raise Refused(
            f"The standby container {standby.container} of {context.name} does not exist any more.",
            f"Deploy its release again: changeover deploy {context.name} {again}",
        )
    return Standby(standby, change, answers=False, paused_as=status.id if status.paused and change.is_empty else "")


@asynccontextmanager
async def awakened(
    context: AppContext, standby: Standby, record: Awaitable[Deployment]
) -> AsyncIterator[tuple[Deployment, Standby]]:
    """Wake a paused standby and probe it while its rollback, and the beginning of its switch, are recorded: each
    millisecond counts.

    Gives what `record` gives, and the standby, whose `awake` the switch waits for. The engine itself answers some
    milliseconds after the container runs; that is waited for at the end. Nothing may park the standby meanwhile. A
    cancel takes effect after the record is given. Raises what `record` raises.
    """
    if not standby.paused_as:
        yield await in_spite_of_cancels(record), standby
        return
    unpausing = asyncio.create_task(_unpaused(context, standby))
    # The kernel accepts the probe's connection before the process runs.
    probe = asyncio.create_task(readiness.answers_now(context, standby.deployment))
    awake = asyncio.create_task(_answers(probe, unpausing))
    try:
        yield await in_spite_of_cancels(record), replace(standby, awake=awake)
    finally:
        awake.cancel()
        probe.cancel()
        await in_spite_of_cancels(unpausing)


async def _unpaused(context: AppContext, standby: Standby) -> bool:
    """False if the engine refused. The switch of the rollback wakes the standby again, and fails if that is refused."""
    try:
        await context.engine.unpause(standby.paused_as)
    except EngineError as error:
        log.warning("standby not unpaused", container=standby.deployment.container, cause=error.cause)
        return False
    return True


async def _answers(probe: asyncio.Task[bool], unpausing: asyncio.Task[bool]) -> bool:
    """Whether the probe is answered; it is not waited for when the engine refuses to unpause."""
    await asyncio.wait([probe, unpausing], return_when=asyncio.FIRST_COMPLETED)
    if not probe.done() and not unpausing.result():
        return False
    return await probe


def standby_for_failover(context: AppContext) -> Deployment | None:
    """The standby, if it may answer after the active release ended: both can run on the data as it is."""
    active, standby = context.active, context.standby
    if active is None or standby is None:
        return None
    fit = all(migrations.needed_by(context, one).is_empty for one in (active, standby))
    return standby if fit else None


def can_take_back(context: AppContext, change: SchemaChange) -> bool:
    """Whether the schema change can be made: it reverts nothing, or the app's `migrate.down` command can."""
    return not change.down or can_be_reverted(context, change.down)


def no_way_down(context: AppContext, standby: Deployment, change: SchemaChange) -> str:
    """The sentence that says why a rollback is refused."""
    has_down = context.migrations is not None and context.migrations.down is not None
    lacks = "has not reported the revision before it, to return to" if has_down else "has no migrate.down command"
    return (
        f"Rollback across an incompatible migration needs migrate.down: {standby.version} cannot run on schema "
        f"revision {names(change.down)}, and {context.name} {lacks}."
    )


def way_by_restore(context: AppContext) -> str:
    """The sentence that says what to do instead of a rollback that is refused."""
    active = context.active
    if active is None or not active.backup or active.live_at is None:
        return f"Restore an earlier backup. List them: changeover backup list {context.name}"
    when = ago(active.live_at, now())
    return (
        f"Restore backup {active.backup}, made before {active.version} went live {when}. Data written since then is "
        f"kept in a new backup. Run: changeover rollback {context.name} --restore {active.backup}"
    )

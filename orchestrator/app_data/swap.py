"""Replacing an app's data by a backup's, while the app's containers are stopped."""

from __future__ import annotations

import structlog

from orchestrator.app_data import backups, loaded_dump, migrations, owners
from orchestrator.apps import one_off, readiness
from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.schema_history import Direction, Outcome
from orchestrator.domain.schema_report import from_json
from orchestrator.engine.base import KILLED
from orchestrator.errors import ChangeoverError
from orchestrator.host.uninterrupted import in_spite_of_cancels

log = structlog.get_logger()


async def stop_writers(context: AppContext, said_by: Deployment) -> None:
    """Stop whatever can write data, when requests are paused. Raises EngineError."""
    await one_off.remove_forgotten(context)
    async with context.standby_turn:
        for writer in _writers(context):
            status = await context.engine.status(writer.container)
            if status and (status.running or status.restarting):
                await _stop(context, writer, said_by, is_paused=status.paused)


async def _stop(context: AppContext, writer: Deployment, said_by: Deployment, *, is_paused: bool) -> None:
    limit_s = context.config.drain.stop_timeout
    await context.engine.stop(writer.container, limit_s)
    ended = await context.engine.status(writer.container)
    if ended and ended.exit_code == KILLED and limit_s and not is_paused:
        # Requests have waited for it. The kernel gives process 1 no signal for which it has no handler.
        context.say(
            said_by.id,
            f"{writer.container} did not end within {limit_s} s after SIGTERM (drain.stop_timeout) and was killed: let "
            "the app handle SIGTERM, or lower drain.stop_timeout",
        )


async def wake_writers(context: AppContext) -> None:
    """Start the active container and wait until it is ready. Start a warm standby, too, if it can run on the data.

    Raises StepFailed when the active release does not become ready or the data is half replaced, EngineError or
    ProxyError.
    """
    await settle(context)
    slots = context.journal.slots(context.name)
    if not slots.active:
        return
    active = context.journal.deployment(slots.active)
    await context.engine.wake(active.container, active.address)
    if slots.standby and context.config.standby == "warm":
        standby = context.journal.deployment(slots.standby)
        if migrations.needed_by(context, standby).is_empty and await context.engine.status(standby.container):
            await context.engine.wake(standby.container, standby.address)
    await readiness.until_ready(context, active)
    await context.proxy.end_preview(context.name)


async def settle(context: AppContext) -> None:
    """Undo a restore that was interrupted and could not be undone yet: nothing may run on data in two halves.

    Raises StepFailed, EngineError or JournalError; may be tried again.
    """
    if backups.interrupted_restores(context):
        async with context.data_turn:
            await backups.settle_interrupted_restores(context)


async def replace_data(context: AppContext, backup: str, by: Deployment, *, replaced: str = "") -> None:
    """Replace the data by a backup's. Nothing may write the data meanwhile.

    The journal has its start and end; what became of one that was interrupted is asked of the sidecar's protocol, here
    or at the next start. Only a backup that `by` itself made may empty the data again. With `replaced`, the
    backup of the data as it is, a restore command of the app must have changed it. Raises UnknownBackup or StepFailed.
    """
    kept = await backups.find(context, backup)
    has = from_json(kept.applied) if kept.applied else ()
    as_of = None if kept.applied else kept.made_at
    journal = context.journal
    slots = await journal.beside(journal.slots, context.name)
    async with context.data_turn:
        await backups.settle_interrupted_restores(context)
        run = await journal.beside(journal.migration_started, context.name, by.id, Direction.RESTORED, has, as_of=as_of)
        try:
            restored = await backups.restore(
                context,
                backup,
                release=journal.deployment(slots.active) if slots.active else by,
                token=backups.token_of(run, by.id),
                emptying=backup in (by.backup, by.paused_backup),
                on_line=lambda line: context.say(by.id, line),
            )
            if slots.active:
                await loaded_dump.refuse_unloaded(context, backup, replaced, journal.deployment(slots.active), by=by)
        except BaseException as error:
            why = f"{error.cause} " if isinstance(error, ChangeoverError) else ""
            await in_spite_of_cancels(_settle(context, f"backup {backup}: {why}"))
            raise
        await journal.beside(journal.migration_ended, run, Outcome.DONE, has, f"backup {backup}")
    for note in restored.notes:
        context.say(by.id, f"restored backup {backup}: {note}")


async def _settle(context: AppContext, note: str) -> None:
    """Record what became of a restore that was interrupted or failed; later, if that is not known now."""
    try:
        await backups.settle_interrupted_restores(context, note)
    except ChangeoverError as error:
        log.warning("not known yet what became of a restore", app=context.name, cause=error.cause)


async def put_back(context: AppContext, backup: str, by: Deployment) -> None:
    """Stop the app's containers, replace the data by a backup's, and start them again, also if any of that failed.

    The caller must have paused requests. Raises UnknownBackup, StepFailed, EngineError or ProxyError.
    """
    try:
        await stop_writers(context, said_by=by)
        await replace_data(context, backup, by)
        # The backup may have been made after the data had followed the user of the release that failed.
        await owners.take_back(context, by)
    except BaseException as error:
        await _wake_after(context, error)
        raise
    await wake_writers(context)


async def _wake_after(context: AppContext, first: BaseException) -> None:
    """Start the app's containers in spite of an error. If that fails as well, both are told, the first one first."""
    try:
        await wake_writers(context)
    except ChangeoverError as then:
        log.error("the app was not started again", app=context.name, cause=then.cause)
        if isinstance(first, ChangeoverError):
            first.cause = f"{first.cause} After that, the app was not started again: {then.cause}"
            first.remedy = first.remedy or then.remedy


def _writers(context: AppContext) -> list[Deployment]:
    slots = context.journal.slots(context.name)
    return [context.journal.deployment(one) for one in (slots.active, slots.standby) if one]

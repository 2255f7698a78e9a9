"""List, make, check and restore an app's backups. Each job runs in a sidecar that mounts the data and the backups."""

from __future__ import annotations

import asyncio
import re
import shlex
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import structlog
from pydantic import TypeAdapter

from orchestrator.app_data import backup_sidecar, migrations
from orchestrator.app_data.backup_about import PLACE, about, for_people
from orchestrator.app_data.way_down import can_be_reverted
from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar.difference import Difference
from orchestrator.backup_sidecar.manifest import Entry, Summary
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome
from orchestrator.engine.base import KILLED, Role
from orchestrator.errors import ChangeoverError, Refused, StepFailed, VolumeGone
from orchestrator.host.uninterrupted import in_spite_of_cancels

log = structlog.get_logger()

LAST_LINES = 20
REMOVED_WITHIN_S = 60.0
"""How long a cancel waits until what the backup has left is removed: its disk may be what does not answer."""
DUMP_FOLDER = "/changeover/dump"
DUMP_VARIABLE = "CHANGEOVER_DUMP"
_DUMP_VOLUME = re.compile(r"-dump-\d{8}-\d{6}-\d{6}$")
_SUMMARY = TypeAdapter(Summary)
_TEXTS = TypeAdapter(dict[str, str])
_ENTRIES = TypeAdapter(list[Entry])
_DIFFERENCE = TypeAdapter(Difference)


def is_dump_volume(name: str) -> bool:
    """Whether a volume is the temporary one of a dump, which exists no longer than the dump's backup or restore."""
    return _DUMP_VOLUME.search(name) is not None


async def entries(context: AppContext) -> list[Entry]:
    """Every backup of the app, the newest first. A damaged one has its `problem`. Raises StepFailed or EngineError."""
    return _ENTRIES.validate_python(await backup_sidecar.run(context, "list", ""))


async def find(context: AppContext, backup: str) -> Summary:
    """What is known of a backup. Raises UnknownBackup, or StepFailed when the manifest cannot be read."""
    entry = next((one for one in await entries(context) if one.id == backup), None)
    if entry is None:
        raise backup_sidecar.unknown(context, backup)
    if entry.summary is None:
        raise StepFailed(
            f"Backup {backup} is damaged: {entry.problem}",
            f"Choose another backup: changeover backup list {context.name}",
        )
    return entry.summary


async def create(
    context: AppContext,
    release: Deployment,
    reason: str,
    *,
    keeping: str = "",
    requests_wait: bool = False,
    on_line: Callable[[str], None] = lambda _line: None,
) -> Summary:
    """Back up the app's data while the app runs. `reason` is shown in the list of backups.

    The sidecar runs with low priority, unless `requests_wait`. Afterwards, backups older than the newest
    `update.backup.keep_backups` are removed, except for `keeping`, one that a rollback needs, and one that settles what
    a failed migration left. `on_line` gets how far a long backup is. The caller must have locked `data_turn`. Raises
    Refused when the app has no data, StepFailed and EngineError.
    """
    if not context.has_data:
        raise Refused(
            f"{context.name} has no data to back up.",
            "Set run.data to the path of its data in the container, or backup.dump to a command that dumps it.",
        )
    await _be_alone(context)
    await settle_interrupted_restores(context)
    if context.config.run.data and not context.existing_volumes:
        await context.engine.ensure_volume(context.volume)
    backup = f"{now():%Y%m%d-%H%M%S-%f}"
    left = context.journal.unsettled(context.name)
    needed = (keeping, needed_for_rollback(context), left.backup if left else "")
    kept = [f"--keeping={one}" for one in needed if one]
    keep = (f"--keep={context.config.update.backup.keep_backups}", *kept)
    async with _dump_volume(context) as volume:
        if context.config.backup and volume:
            await _command(context, release, "dump", backup, context.config.backup.dump, volume)
        files = (*await for_people(context, release), (PLACE, await about(context, release, reason)))
        try:
            made = await backup_sidecar.run(
                context, "create", backup, *keep, dump=volume, files=files, gently=not requests_wait, on_line=on_line
            )
        except asyncio.CancelledError:
            await in_spite_of_cancels(_remove_unfinished(context))
            raise
        except StepFailed as error:
            if error.exit_code == KILLED:  # it took too long, or too much memory
                await _remove_unfinished(context)
            raise
        return _summary(made)


async def _remove_unfinished(context: AppContext) -> None:
    """Remove what a sidecar that was ended in the middle of a backup has left; else the next backup does it."""
    try:
        async with asyncio.timeout(REMOVED_WITHIN_S):
            await backup_sidecar.run(context, "remove-unfinished", "")
    except (ChangeoverError, TimeoutError) as error:
        log.warning(
            "the rest of a backup is not removed yet", app=context.name, cause=str(error) or "it takes too long"
        )


def needed_for_rollback(context: AppContext) -> str:
    """The backup that a rollback to the standby needs; empty if there is no standby or it needs no backup."""
    slots = context.journal.slots(context.name)
    if not slots.active or not slots.standby:
        return ""
    down = migrations.needed_by(context, context.journal.deployment(slots.standby)).down
    if not down or can_be_reverted(context, down):
        return ""
    return context.journal.deployment(slots.active).backup


async def check(context: AppContext, backup: str) -> Summary:
    """Read and check every byte of a backup. Raises StepFailed when it is damaged, or UnknownBackup."""
    return _summary(await backup_sidecar.run(context, "verify", backup, gently=True))


async def extract(context: AppContext, backup: str, part: str) -> dict[str, str]:
    """File name -> text of the part `config` or `logs` of a backup. Raises UnknownBackup or StepFailed."""
    return _TEXTS.validate_python(await backup_sidecar.run(context, "extract", backup, f"--part={part}"))


async def remove(context: AppContext, backup: str) -> None:
    """Remove one backup for ever. The caller must have locked `data_turn`.

    Raises Refused where it is needed, UnknownBackup, StepFailed or EngineError.
    """
    if backup == needed_for_rollback(context):
        raise Refused(
            f"Backup {backup} is not deleted: a rollback of {context.name} to the standby needs it.",
            "Delete it when another release is live, or the standby is another one.",
        )
    left = context.journal.unsettled(context.name)
    if left and left.backup == backup:
        raise Refused(f"Backup {backup} is not deleted: what is unsettled in the data needs it.", left.remedy)
    await backup_sidecar.run(context, "remove", backup)


async def remove_all(context: AppContext) -> list[str]:
    """Remove all backups of an app, for ever. Returns their ids. Raises StepFailed or EngineError."""
    return list(await backup_sidecar.run(context, "remove-all", ""))


async def compare(context: AppContext, backup: str, release: Deployment) -> Difference:
    """How the data differs from a backup of it, with the dump command in the image of `release`.

    The app may run meanwhile. The caller must have locked `data_turn`. Raises UnknownBackup, StepFailed or EngineError.
    """
    await _be_alone(context)
    async with _dump_volume(context) as volume:
        if context.config.backup and volume:
            await _command(context, release, "dump", f"{backup}-compared", context.config.backup.dump, volume)
        return _DIFFERENCE.validate_python(
            await backup_sidecar.run(context, "compare", backup, dump=volume, gently=True)
        )


async def restore(
    context: AppContext,
    backup: str,
    release: Deployment,
    token: str,
    *,
    emptying: bool = False,
    on_line: Callable[[str], None] = lambda _line: None,
) -> Summary:
    """Replace the data by a backup's, with the restore command in the image of `release`.

    Nothing may write the data meanwhile, and the caller must have locked `data_turn`. Raises UnknownBackup or
    StepFailed. If the sidecar fails, the data is unchanged; a restore command of the app must guarantee that itself.
    A backup without data is refused; with `emptying`, one that was made of an empty volume empties it again. `token` is
    what this restore is called in the sidecar's protocol. `on_line` gets how far a long restore is, and the output of
    the restore command.
    """
    await _be_alone(context)
    more = (f"--token={token}", *(("--emptying",) if emptying else ()))
    async with _dump_volume(context) as volume:
        restored = _summary(await backup_sidecar.run(context, "restore", backup, *more, dump=volume, on_line=on_line))
        if context.config.backup and volume:
            await _command(context, release, "load", backup, context.config.backup.restore, volume, on_line)
        return restored


def token_of(run_id: int, deployment: str) -> str:
    """What a restore is called in the sidecar's protocol, from its run in the journal."""
    return f"{deployment}-{run_id}"


def interrupted_restores(context: AppContext) -> list[MigrationRun]:
    """The restores whose end is not recorded: one that is under way, or one of which it is not known what became."""
    runs = context.journal.migrations(context.name)
    return [run for run in runs if run.direction is Direction.RESTORED and run.outcome is Outcome.RUNNING]


async def settle_interrupted_restores(context: AppContext, note: str = "") -> None:
    """Record what became of a restore that was interrupted, after `note`, and undo it if it is not complete.

    None of them may run any more. Raises StepFailed, EngineError or JournalError; may be tried again.
    """
    for run in interrupted_restores(context):
        outcome, became = await _settled(context, token_of(run.id, run.deployment))
        await context.journal.beside(context.journal.migration_ended, run.id, outcome, run.revisions, f"{note}{became}")


async def _settled(context: AppContext, token: str) -> tuple[Outcome, str]:
    """What became of a restore, and a sentence that says it."""
    try:
        said = await backup_sidecar.run(context, "undo-interrupted", "", f"--token={token}")
    except VolumeGone:
        return Outcome.FAILED, "interrupted; the data volume is gone, and what it did with it"
    if not said["complete"]:
        return Outcome.FAILED, "interrupted, and undone"
    if context.config.backup:
        # The app's own restore command follows the files, and does not say what it did.
        return Outcome.FAILED, "interrupted; its files are in place, and it is not known what its restore command did"
    return Outcome.DONE, "complete; the orchestrator was stopped before it could record that"


async def _be_alone(context: AppContext) -> None:
    """Remove sidecars that still run on the data, for example after the engine did not answer."""
    assert context.data_turn.locked()
    await context.engine.remove_stray_sidecars(context.name)


@asynccontextmanager
async def _dump_volume(context: AppContext) -> AsyncIterator[str]:
    """A temporary volume for the dump of the app's database; an empty string if the app has no `backup` section."""
    if context.config.backup is None:
        yield ""
        return
    # Named after the time alone: by it, one that a kill left is known, whatever the backup is called.
    volume = f"{context.engine.stack}-{context.name}-dump-{now():%Y%m%d-%H%M%S-%f}"
    try:
        await context.engine.ensure_volume(volume)
        yield volume
    finally:
        await context.engine.remove_volume(volume)


async def _command(
    context: AppContext,
    release: Deployment,
    job: str,
    backup: str,
    command: str,
    volume: str,
    on_line: Callable[[str], None] = lambda _line: None,
) -> None:
    """Run the app's own dump or restore command in a sidecar. Raises StepFailed."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    assert context.config.backup is not None
    name = f"{context.engine.stack}-{context.name}-{job}-{backup}"
    spec = container_spec(context, release, Role.SIDECAR, name, tuple(shlex.split(command)))
    spec = replace(spec, env=spec.env | {DUMP_VARIABLE: DUMP_FOLDER}, owned=(*spec.owned, (volume, DUMP_FOLDER)))

    def heard(line: str) -> None:
        last.append(line)
        on_line(line)

    status, late = await context.engine.run_to_end(spec, context.config.backup.timeout, heard)
    if late or status.exit_code != 0:
        why = f"took longer than {context.config.backup.timeout:g} s" if late else status.why_stopped
        what = "dump" if job == "dump" else "restore"
        raise StepFailed(
            f"The {what} command '{command}' {why}.",
            f"Correct backup.{what} of {context.name}.",
            log=tuple(last),
            exit_code=status.exit_code,
        )


def _summary(answer: object) -> Summary:
    return _SUMMARY.validate_python(answer)

"""Listing, making, checking and restoring backups of one app, each in a sidecar with the app's data and the backups."""

from __future__ import annotations

import json
import secrets
import shlex
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter

from orchestrator.app_data import migrations
from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar.catalogue import NO_SUCH_BACKUP, Entry
from orchestrator.backup_sidecar.manifest import Manifest
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.schema_history import Direction, Outcome, applied
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, ContainerSpec, Role
from orchestrator.errors import ChangeoverError, EngineError, Refused, StepFailed, UnknownBackup

TIMEOUT_S = 3600.0
LAST_LINES = 20
LOG_LINES = 10_000
DUMP_FOLDER = "/changeover/dump"
DUMP_VARIABLE = "CHANGEOVER_DUMP"
_MANIFEST = TypeAdapter(Manifest)
_ENTRIES = TypeAdapter(list[Entry])


async def entries(context: AppContext) -> list[Entry]:
    """Every backup of the app, the newest first, the damaged ones with what is wrong."""
    return _ENTRIES.validate_python(await _run(context, "list", ""))


async def find(context: AppContext, backup: str) -> Manifest:
    """Raises UnknownBackup, or StepFailed when its manifest cannot be read."""
    entry = next((one for one in await entries(context) if one.id == backup), None)
    if entry is None:
        raise _unknown(context, backup)
    if entry.manifest is None:
        raise StepFailed(f"Backup {backup} is damaged: {entry.problem}")
    return entry.manifest


async def create(
    context: AppContext, release: Deployment, reason: str, *, keeping: str = "", requests_wait: bool = False
) -> Manifest:
    """Back the app's data up as it is now; the app goes on writing. Raises StepFailed, or Refused without data.

    It gives way to the app, unless requests wait for its end. Older backups than the configured number go, but for the
    one named by `keeping` and one that a rollback needs. The caller holds the context's `data_turn`.
    """
    if not context.has_data:
        raise Refused(
            f"{context.name} has no data to back up.",
            "Set run.data to where its data is in the container, or backup.dump to a command that dumps its database.",
        )
    await _be_alone(context)
    if context.config.run.data:
        await context.engine.ensure_volume(context.volume)
    known = release.release
    backup = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    has = applied(context.journal.migrations(context.name))
    about = {
        "version": known.version if known else "",
        "revision": known.source_revision if known else "",
        "data_schema": has[-1].revision if has else "",
        "reason": reason,
    }
    kept = [f"--keeping={one}" for one in (keeping, needed_for_rollback(context)) if one]
    keep = ("--keep", str(context.config.update.backup.keep_backups), *kept)
    async with _dump_volume(context, backup) as volume:
        if context.config.backup and volume:
            await _command(context, release, "dump", backup, context.config.backup.dump, volume)
        more = (*(f"--{name}={value}" for name, value in about.items()), *keep)
        files = await _extra(context, release)
        return _manifest(
            await _run(context, "create", backup, *more, dump=volume, files=files, gently=not requests_wait)
        )


def needed_for_rollback(context: AppContext) -> str:
    """The backup that is the only way back to the standby; empty where there is another way, or no standby."""
    slots = context.journal.slots(context.name)
    if not slots.active or not slots.standby or (context.migrations and context.migrations.down):
        return ""
    way = migrations.needed_by(context, context.journal.deployment(slots.standby))
    return context.journal.deployment(slots.active).backup if way.down else ""


async def check(context: AppContext, backup: str) -> Manifest:
    """Read every byte of a backup. Raises StepFailed with what is wrong with it, or UnknownBackup."""
    return _manifest(await _run(context, "verify", backup, gently=True))


async def restore(context: AppContext, backup: str, release: Deployment) -> Manifest:
    """Replace the data, which nobody may write meanwhile. Raises StepFailed; then the data is what it was.

    The caller holds the context's `data_turn`.
    """
    await _be_alone(context)
    async with _dump_volume(context, backup) as volume:
        manifest = _manifest(await _run(context, "restore", backup, dump=volume))
        if context.config.backup and volume:
            await _command(context, release, "load", backup, context.config.backup.restore, volume)
        return manifest


async def undo_interrupted_restores(context: AppContext) -> None:
    """At a start: undo a restore that was stopped in the middle of replacing the data."""
    stopped = [
        run
        for run in context.journal.migrations(context.name)
        if run.direction is Direction.RESTORED and run.outcome is Outcome.RUNNING
    ]
    if stopped:
        await _run(context, "undo-interrupted", "")
    for run in stopped:
        context.journal.migration_ended(run.id, Outcome.FAILED, run.revisions, "interrupted, and undone")


async def _be_alone(context: AppContext) -> None:
    """Only one works on the data: what an engine that went away has left running, and may run still, ends first."""
    assert context.data_turn.locked()
    await context.engine.remove_stray_sidecars(context.name)


async def _extra(context: AppContext, release: Deployment) -> tuple[tuple[str, bytes], ...]:
    """The configuration and what the app printed, as they are now."""
    files = []
    if context.config_file.is_file():
        files.append((f"/extra/config/{context.config_file.name}", context.config_file.read_bytes()))
    lines = await context.engine.logs(release.container, LOG_LINES)
    files.append((f"/extra/logs/{release.container}.log", "".join(f"{line}\n" for line in lines).encode()))
    return tuple(files)


@asynccontextmanager
async def _dump_volume(context: AppContext, backup: str) -> AsyncIterator[str]:
    """A volume for as long as a dump is on its way between the app's image and the archive."""
    if context.config.backup is None:
        yield ""
        return
    volume = f"{context.engine.stack}-{context.name}-dump-{backup}"
    await context.engine.ensure_volume(volume)
    try:
        yield volume
    finally:
        await context.engine.remove_volume(volume)


async def _command(context: AppContext, release: Deployment, job: str, backup: str, command: str, volume: str) -> None:
    """A command of the app's own, which knows its database server."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    assert context.config.backup is not None
    name = f"{context.engine.stack}-{context.name}-{job}-{backup}"
    spec = container_spec(context, release, Role.SIDECAR, name, tuple(shlex.split(command)))
    spec = replace(spec, env=spec.env | {DUMP_VARIABLE: DUMP_FOLDER}, owned=(*spec.owned, (volume, DUMP_FOLDER)))
    status, late = await context.engine.run_to_end(spec, context.config.backup.timeout, last.append)
    if late or status.exit_code != 0:
        why = f"took longer than {context.config.backup.timeout:g} s" if late else status.why_stopped
        what = "dump" if job == "dump" else "restore"
        raise StepFailed(
            f"The {what} command '{command}' {why}.",
            f"See backup.{what} of {context.name}.",
            log=tuple(last),
            exit_code=status.exit_code,
        )


async def _run(
    context: AppContext,
    job: str,
    backup: str,
    *more: str,
    dump: str = "",
    files: tuple[tuple[str, bytes], ...] = (),
    gently: bool = False,
) -> Any:  # Any: JSON, validated by whoever asked
    last: deque[str] = deque(maxlen=LAST_LINES)
    if not context.backups.startswith("/"):
        await context.engine.ensure_volume(context.backups)
    mounts = [(context.backups, "/backups")]
    if context.config.run.data and job in ("create", "restore", "undo-interrupted"):
        mounts.append((context.volume, "/data"))
    if dump:
        mounts.append((dump, "/dump"))
    spec = ContainerSpec(
        name=f"{context.engine.stack}-{context.name}-{job}-{secrets.token_hex(4)}",
        image=context.tools_image,
        command=("python", "-m", "orchestrator.backup_sidecar", job, "--app", context.name, "--backup", backup, *more)
        + (("--gently",) if gently else ()),
        labels={LABEL_APP: context.name, LABEL_ROLE: Role.SIDECAR},
        network=context.engine.network,
        mounts=tuple(mounts),
        files=files,
        # It reads and writes what belongs to any user, and keeps its owner.
        user="0:0",
        privileges=True,
        gives_way=gently,
    )
    try:
        status, late = await context.engine.run_to_end(spec, TIMEOUT_S, last.append)
    except EngineError as error:
        if "mount" not in error.cause:
            raise
        raise StepFailed(
            f"The place of backups, {context.backups}, cannot be used: {error.cause}",
            "update.backup.backup_location names a folder of this host.",
        ) from error
    if status.exit_code == NO_SUCH_BACKUP:
        raise _unknown(context, backup)
    if late or status.exit_code != 0:
        said = last[-1] if last else f"it {status.why_stopped}"
        what = "Listing the backups" if job == "list" else f"The {job} of backup {backup}"
        raise StepFailed(
            f"{what} of {context.name} did not succeed: {said}",
            f"Backups are kept in {context.backups}.",
            log=tuple(last),
            exit_code=status.exit_code,
        )
    try:
        return json.loads(last[-1])
    except (ValueError, IndexError) as error:
        said = last[-1][:200] if last else "nothing"
        raise ChangeoverError(f"The backup's sidecar did not answer with JSON but with: {said}") from error


def _manifest(answer: object) -> Manifest:
    return _MANIFEST.validate_python(answer)


def _unknown(context: AppContext, backup: str) -> UnknownBackup:
    return UnknownBackup(f"{context.name} has no backup '{backup}'.", f"See: changeover backup list {context.name}")

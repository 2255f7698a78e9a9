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

from orchestrator.backups.catalogue import Entry
from orchestrator.backups.manifest import Manifest
from orchestrator.backups.sidecar import NO_SUCH_BACKUP
from orchestrator.engine.containers import LABEL_APP, LABEL_ROLE, ContainerSpec, Role
from orchestrator.errors import ChangeoverError, EngineError, Refused, StepFailed, UnknownBackup
from orchestrator.model import Deployment, Direction, Outcome
from orchestrator.schema import applied, way_to
from orchestrator.site import Site

TIMEOUT_S = 3600.0
LAST_LINES = 20
LOG_LINES = 10_000
DUMP_FOLDER = "/changeover/dump"
DUMP_VARIABLE = "CHANGEOVER_DUMP"
_MANIFEST = TypeAdapter(Manifest)
_ENTRIES = TypeAdapter(list[Entry])


async def entries(site: Site) -> list[Entry]:
    """Every backup of the app, the newest first, the damaged ones with what is wrong."""
    return _ENTRIES.validate_python(await _run(site, "list", ""))


async def find(site: Site, backup: str) -> Manifest:
    """Raises UnknownBackup, or StepFailed when its manifest cannot be read."""
    entry = next((one for one in await entries(site) if one.id == backup), None)
    if entry is None:
        raise _unknown(site, backup)
    if entry.manifest is None:
        raise StepFailed(f"Backup {backup} is damaged: {entry.problem}")
    return entry.manifest


async def create(
    site: Site, release: Deployment, reason: str, *, keeping: str = "", requests_wait: bool = False
) -> Manifest:
    """Back the app's data up as it is now; the app goes on writing. Raises StepFailed, or Refused without data.

    It gives way to the app, unless requests wait for its end. Older backups than the configured number go, but for the
    one named by `keeping` and one that a rollback needs. The caller holds the site's `data_turn`.
    """
    if not site.has_data:
        raise Refused(f"{site.name} has no data to back up.", "run.data says where in its container the data is.")
    await _be_alone(site)
    if site.app.run.data:
        await site.engine.ensure_volume(site.volume)
    known = release.release
    backup = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    has = applied(site.journal.migrations(site.name))
    about = {
        "version": known.version if known else "",
        "revision": known.revision if known else "",
        "data_schema": has[-1].revision if has else "",
        "reason": reason,
    }
    kept = [f"--keeping={one}" for one in (keeping, needed_for_rollback(site)) if one]
    keep = ("--keep", str(site.app.update.backup.keep_backups), *kept)
    async with _dump_volume(site, backup) as volume:
        if site.app.backup and volume:
            await _command(site, release, "dump", backup, site.app.backup.dump, volume)
        more = (*(f"--{name}={value}" for name, value in about.items()), *keep)
        files = await _extra(site, release)
        return _manifest(await _run(site, "create", backup, *more, dump=volume, files=files, gently=not requests_wait))


def needed_for_rollback(site: Site) -> str:
    """The backup that is the only way back to the standby; empty where there is another way, or no standby."""
    slots = site.journal.slots(site.name)
    if not slots.active or not slots.standby or (site.migrations and site.migrations.down):
        return ""
    way = way_to(site.journal.deployment(slots.standby), site.journal.migrations(site.name))
    return site.journal.deployment(slots.active).backup if way.down else ""


async def check(site: Site, backup: str) -> Manifest:
    """Read every byte of a backup. Raises StepFailed with what is wrong with it, or UnknownBackup."""
    return _manifest(await _run(site, "verify", backup, gently=True))


async def restore(site: Site, backup: str, release: Deployment) -> Manifest:
    """Replace the data, which nobody may write meanwhile. Raises StepFailed; then the data is what it was.

    The caller holds the site's `data_turn`.
    """
    await _be_alone(site)
    async with _dump_volume(site, backup) as volume:
        manifest = _manifest(await _run(site, "restore", backup, dump=volume))
        if site.app.backup and volume:
            await _command(site, release, "load", backup, site.app.backup.restore, volume)
        return manifest


async def settle(site: Site) -> None:
    """At a start: undo a restore that was stopped in the middle of replacing the data."""
    stopped = [
        run
        for run in site.journal.migrations(site.name)
        if run.direction is Direction.RESTORED and run.outcome is Outcome.RUNNING
    ]
    if stopped:
        await _run(site, "settle", "")
    for run in stopped:
        site.journal.migration_ended(run.id, Outcome.FAILED, run.revisions, "interrupted, and undone")


async def _be_alone(site: Site) -> None:
    """Only one works on the data: what an engine that went away has left running, and may run still, ends first."""
    assert site.data_turn.locked()
    await site.engine.sidecars.remove_strays(site.name)


async def _extra(site: Site, release: Deployment) -> tuple[tuple[str, bytes], ...]:
    """The configuration and what the app printed, as they are now."""
    files = []
    if site.configuration.is_file():
        files.append((f"/extra/config/{site.configuration.name}", site.configuration.read_bytes()))
    lines = await site.engine.logs(release.container, LOG_LINES)
    files.append((f"/extra/logs/{release.container}.log", "".join(f"{line}\n" for line in lines).encode()))
    return tuple(files)


@asynccontextmanager
async def _dump_volume(site: Site, backup: str) -> AsyncIterator[str]:
    """A volume for as long as a dump is on its way between the app's image and the archive."""
    if site.app.backup is None:
        yield ""
        return
    volume = f"{site.engine.stack}-{site.name}-dump-{backup}"
    await site.engine.ensure_volume(volume)
    try:
        yield volume
    finally:
        await site.engine.remove_volume(volume)


async def _command(site: Site, release: Deployment, job: str, backup: str, command: str, volume: str) -> None:
    """A command of the app's own, which knows its database server."""
    last: deque[str] = deque(maxlen=LAST_LINES)
    assert site.app.backup is not None
    name = f"{site.engine.stack}-{site.name}-{job}-{backup}"
    spec = site.container(release, Role.SIDECAR, name, tuple(shlex.split(command)))
    spec = replace(spec, env=spec.env | {DUMP_VARIABLE: DUMP_FOLDER}, owned=(*spec.owned, (volume, DUMP_FOLDER)))
    status, late = await site.engine.sidecars.run_to_end(spec, site.app.backup.timeout, last.append)
    if late or status.exit_code != 0:
        why = f"took longer than {site.app.backup.timeout:g} s" if late else status.why_stopped
        what = "dump" if job == "dump" else "restore"
        raise StepFailed(
            f"The {what} command '{command}' {why}.",
            f"See backup.{what} of {site.name}.",
            log=tuple(last),
            exit_code=status.exit_code,
        )


async def _run(
    site: Site,
    job: str,
    backup: str,
    *more: str,
    dump: str = "",
    files: tuple[tuple[str, bytes], ...] = (),
    gently: bool = False,
) -> Any:  # Any: JSON, validated by whoever asked
    last: deque[str] = deque(maxlen=LAST_LINES)
    if not site.backups.startswith("/"):
        await site.engine.ensure_volume(site.backups)
    mounts = [(site.backups, "/backups")]
    if site.app.run.data and job in ("create", "restore", "settle"):
        mounts.append((site.volume, "/data"))
    if dump:
        mounts.append((dump, "/dump"))
    spec = ContainerSpec(
        name=f"{site.engine.stack}-{site.name}-{job}-{secrets.token_hex(4)}",
        image=site.tools_image,
        command=("python", "-m", "orchestrator.backups.sidecar", job, "--app", site.name, "--backup", backup, *more)
        + (("--gently",) if gently else ()),
        labels={LABEL_APP: site.name, LABEL_ROLE: Role.SIDECAR},
        network=site.engine.network,
        mounts=tuple(mounts),
        files=files,
        # It reads and writes what belongs to any user, and keeps its owner.
        user="0:0",
        privileges=True,
        gives_way=gently,
    )
    try:
        status, late = await site.engine.sidecars.run_to_end(spec, TIMEOUT_S, last.append)
    except EngineError as error:
        if "mount" not in error.cause:
            raise
        raise StepFailed(
            f"The place of backups, {site.backups}, cannot be used: {error.cause}",
            "update.backup.backup_location names a folder of this host.",
        ) from error
    if status.exit_code == NO_SUCH_BACKUP:
        raise _unknown(site, backup)
    if late or status.exit_code != 0:
        said = last[-1] if last else f"it {status.why_stopped}"
        what = "Listing the backups" if job == "list" else f"The {job} of backup {backup}"
        raise StepFailed(
            f"{what} of {site.name} did not succeed: {said}",
            f"Backups are kept in {site.backups}.",
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


def _unknown(site: Site, backup: str) -> UnknownBackup:
    return UnknownBackup(f"{site.name} has no backup '{backup}'.", f"See: changeover backup list {site.name}")

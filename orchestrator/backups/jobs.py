"""Making, checking and restoring backups of one app, each in a sidecar with the app's data and the backups."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.backups.archive import File, Manifest
from orchestrator.backups.catalogue import Catalogue
from orchestrator.engine.containers import LABEL_APP, LABEL_ROLE, ContainerSpec, Role
from orchestrator.errors import ChangeoverError, Refused, StepFailed
from orchestrator.model import Deployment
from orchestrator.site import Site
from orchestrator.steps import migrate, verify

TIMEOUT_S = 3600.0
HOLD_LIMIT_S = 300.0


@dataclass(frozen=True)
class Restored:
    """What was restored, the backup of what it replaced, and how long requests were held, in seconds."""

    manifest: Manifest
    replaced: Manifest
    held_s: float


async def create(site: Site, release: Deployment, reason: str) -> Manifest:
    """Back the app's data up as it is now; the app goes on writing. Raises StepFailed, or Refused without data."""
    if not site.app.run.data:
        raise Refused(f"{site.name} has no data to back up.", "run.data says where in its container the data is.")
    await site.engine.ensure_volume(site.volume)
    known = release.release
    backup = f"{datetime.now(UTC):%Y%m%d-%H%M%S-%f}"
    about = ("--version", known.version if known else "", "--revision", known.revision if known else "")
    manifest = await _run(site, "create", backup, *about, "--reason", reason)
    Catalogue(site.backups).prune(site.name, site.app.update.backup.keep_backups)
    return manifest


async def check(site: Site, backup: str) -> Manifest:
    """Read every byte of a backup. Raises StepFailed with what is wrong with it."""
    wanted = Catalogue(site.backups).get(site.name, backup)
    return await _run(site, "verify", wanted.id)


async def restore(site: Site, backup: str) -> Restored:
    """Put a backup back: checked first, under hold, keeping what it replaces. Raises StepFailed or ProxyError.

    The active release goes on with the data of then, brought to its own schema by its migrations.
    """
    slots = site.journal.slots(site.name)
    if not slots.active:
        raise Refused(f"{site.name} has no live release that could go on with restored data.", "Deploy it first.")
    active = site.journal.deployment(slots.active)
    wanted = await check(site, backup)
    began = time.monotonic()
    await site.proxy.hold(site.name, HOLD_LIMIT_S)
    try:
        writers = [site.journal.deployment(one) for one in (slots.active, slots.standby) if one]
        for writer in writers:
            await site.engine.stop(writer.container, site.app.drain.stop_timeout)
        try:
            replaced = await create(site, active, reason=f"before restoring {wanted.id}")
            await _run(site, "restore", wanted.id)
            await migrate.data(site, active)
        finally:
            for writer in writers:
                await site.engine.wake(writer.container)
        await verify.until_ready(site, active)
        await site.proxy.end_preview(site.name)
        await site.proxy.mark_up(site.name)
    finally:
        await site.proxy.release(site.name)
    return Restored(wanted, replaced, time.monotonic() - began)


async def _run(site: Site, job: str, backup: str, *more: str) -> Manifest:
    last: deque[str] = deque(maxlen=20)
    data = site.app.run.data
    assert data is not None
    spec = ContainerSpec(
        name=f"{site.engine.stack}-{site.name}-{job}-{backup}",
        image=site.tools_image,
        command=("python", "-m", "orchestrator.backups.sidecar", job, "--app", site.name, "--backup", backup, *more),
        labels={LABEL_APP: site.name, LABEL_ROLE: Role.SIDECAR},
        network=site.engine.network,
        mounts=((site.volume, "/data"), (site.backups_mount, "/backups")),
        # It reads and writes what belongs to any user, and keeps its owner.
        user="0:0",
        privileges=True,
    )
    status, late = await site.engine.run_to_end(spec, TIMEOUT_S, last.append)
    if late or status.exit_code != 0:
        said = last[-1] if last else f"it {status.why_stopped}"
        cause = f"The {job} of backup {backup} did not succeed: {said}"
        raise StepFailed(cause, log=tuple(last), exit_code=status.exit_code)
    return _manifest(last[-1])


def _manifest(line: str) -> Manifest:
    try:
        content = json.loads(line)
    except ValueError as error:
        raise ChangeoverError(f"The backup's sidecar said something else than a manifest: {line[:200]}") from error
    return Manifest(**content | {"files": tuple(File(**file) for file in content["files"])})

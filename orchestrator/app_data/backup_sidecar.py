"""Runs a backup sidecar: our own image, with the folders of one app and without a network."""

from __future__ import annotations

import json
import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar import catalogue
from orchestrator.backup_sidecar.catalogue import NO_SUCH_BACKUP, is_id
from orchestrator.backup_sidecar.pace import PROGRESS
from orchestrator.engine.base import LABEL_APP, LABEL_ROLE, ContainerSpec, Role
from orchestrator.errors import ChangeoverError, EngineError, StepFailed, UnknownBackup

TIMEOUT_S = 3600.0
LAST_LINES = 20
ANSWER_BYTES = 64 * 2**20
"""The longest answer of a backup sidecar: a line of JSON that names each file of a backup."""
COPIES = ".copies"
"""The folder beside all backups that has a folder for each app, in which its sidecars make copies: on the same disk."""
DOES = {"create": "backing up", "restore": "restoring"}
MEMORY, PROCESSES = "1g", 64
"""What a backup sidecar may use: a backup or a restore of a million files needs some 700 MB."""


async def run(
    context: AppContext,
    job: str,
    backup: str,
    *more: str,
    dump: str = "",
    files: tuple[tuple[str, bytes], ...] = (),
    gently: bool = False,
    volumes: tuple[str, ...] = (),
    on_line: Callable[[str], None] = lambda _line: None,
) -> Any:  # Any: JSON, validated by the callers
    """Run a job of orchestrator/backup_sidecar; its answer. `volumes` are mounted below /volumes. `on_line` gets
    how far a long one is.

    Raises UnknownBackup, StepFailed or EngineError.
    """
    if backup and not is_id(backup):
        raise unknown(context, backup)
    last: deque[str] = deque(maxlen=LAST_LINES)

    def heard(line: str) -> None:
        if line.startswith(PROGRESS):
            on_line(f"{DOES.get(job, job)}: {line.removeprefix(PROGRESS)}")
        else:
            last.append(line)

    await _make_folders(context, job)
    options = (f"--app={context.name}", f"--backup={backup}", *more, *(("--gently",) if gently else ()))
    spec = replace(specification(context, job, dump, options), files=files, gives_way=gently)
    spec = replace(spec, mounts=(*spec.mounts, *((one, f"/volumes/{at}") for at, one in enumerate(volumes))))
    try:
        status, late = await context.engine.run_to_end(spec, TIMEOUT_S, heard, ANSWER_BYTES)
    except EngineError as error:
        if "mount" not in error.cause:
            raise
        raise StepFailed(
            f"The backup location {context.backups} cannot be mounted: {error.cause}",
            f"Set update.backup.backup_location, now {context.backups}, to a folder of this host that can be written.",
        ) from error
    if status.exit_code == NO_SUCH_BACKUP:
        raise unknown(context, backup)
    if late or status.exit_code != 0:
        said = last[-1] if last else f"it {status.why_stopped}"
        what = {"list": "Listing the backups", "own": "The change of the data's owner"}.get(
            job, f"The {job} of backup {backup}"
        )
        raise StepFailed(
            f"{what} of {context.name} failed: {said}",
            _remedy(context, status.exit_code),
            log=tuple(last),
            exit_code=status.exit_code,
        )
    try:
        return json.loads(last[-1])
    except (ValueError, IndexError) as error:
        said = last[-1][:200] if last else "nothing"
        raise ChangeoverError(f"The backup sidecar's answer is not valid JSON: {said}") from error


def _remedy(context: AppContext, exit_code: int) -> str:
    match exit_code:
        case catalogue.NOT_SUITABLE:
            return f"Correct that in the data of {context.name}, then try again."
        case catalogue.DATA_NOT_WRITTEN:
            whose = f"of volume {context.volume}" if context.config.run.data else "of the dump"
            return f"Make room on the disk {whose} ('changeover doctor' shows its use), or make it writable. Try again."
        case _:
            return f"Check the backup location {context.backups}."


async def _make_folders(context: AppContext, job: str) -> None:
    """A folder of the host is made by the engine, one in a volume must be there before it is mounted."""
    if not context.backups.startswith("/"):
        await context.engine.ensure_volume(context.backups)
        await context.engine.ensure_folders(context.backups, tuple(_folders(context, job)), context.tools_image)


def _folders(context: AppContext, job: str) -> dict[str, str]:
    """What is mounted of the place of all backups, and where."""
    return {context.name: "/backups"} | ({f"{COPIES}/{context.name}": "/jail/scratch"} if job != "list" else {})


def specification(context: AppContext, job: str, dump: str, options: tuple[str, ...]) -> ContainerSpec:
    """A sidecar of our own image. It reaches the folders of this app alone, and nothing by network."""
    mounts = []
    if context.config.run.data and job in ("create", "compare", "restore", "undo-interrupted"):
        mounts.append((context.volume, "/jail/data"))
    if dump:
        mounts.append((dump, "/jail/dump"))
    return ContainerSpec(
        name=f"{context.engine.stack}-{context.name}-{job}-{secrets.token_hex(4)}",
        image=context.tools_image,
        command=("python", "-m", "orchestrator.backup_sidecar", job, *options),
        labels={LABEL_APP: context.name, LABEL_ROLE: Role.SIDECAR},
        network="",
        mounts=tuple(mounts),
        existing=context.existing_volumes
        if job == "own" or ((context.volume, "/jail/data") in mounts and job != "restore")
        else (),
        parts=tuple((context.backups, folder, target) for folder, target in _folders(context, job).items()),
        # Root, with what it needs to read and write files of any user, to keep their owner, and for the jail.
        user="0:0",
        capabilities=("DAC_READ_SEARCH",) if job == "list" else ("CHOWN", "DAC_OVERRIDE", "FOWNER", "SYS_CHROOT"),
        read_only=True,
        memory=MEMORY,
        pids=PROCESSES,
    )


def unknown(context: AppContext, backup: str) -> UnknownBackup:
    return UnknownBackup(
        f"{context.name} has no backup '{backup[:80]}'.", f"List its backups: changeover backup list {context.name}"
    )

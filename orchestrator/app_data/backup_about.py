"""What a backup says of its release and its data, besides the files in it."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar.catalogue import EXTRA_FOLDER
from orchestrator.config import yaml_text
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.release_history import spare_backups
from orchestrator.domain.schema_history import applied
from orchestrator.domain.schema_report import as_json

PLACE = f"/backups/{EXTRA_FOLDER}/about.json"
"""Where the backup sidecar reads it."""
LOG_LINES = 10_000


async def about(context: AppContext, release: Deployment, reason: str) -> bytes:
    """As JSON, for the sidecar. `release` is what runs on the data. Raises JournalError."""
    runs = context.journal.migrations(context.name)
    attempts = await context.journal.beside(context.journal.attempts, context.name)
    has, known = applied(runs), release.release
    migrated = {run.deployment for run in runs}
    others = [context.journal.deployment(one).number for one in migrated - {one.deployment for one in attempts}]
    says: dict[str, object] = {
        "version": known.version if known else "",
        "revision": known.source_revision if known else "",
        "image": known.image if known else "",
        "deployment": release.id,
        "reason": reason,
        "data_schema": has[-1].revision if has else "",
        "applied": as_json(has),
        "after": max((one.number for one in attempts if one.was_live), default=0),
        "spare": spare_backups(attempts, migrated, changed=others),
    }
    return json.dumps(says).encode()


async def for_people(context: AppContext, release: Deployment) -> tuple[tuple[str, bytes], ...]:
    """The configuration file and the last lines of the app's log, to be stored in the backup."""
    files = []
    if context.config_file.is_file():
        with context.config_file.open("rb") as file:
            text = file.read(yaml_text.MOST_BYTES)
        files.append((f"/backups/{EXTRA_FOLDER}/config/{context.config_file.name}", text))
    lines = await context.engine.logs(release.container, LOG_LINES)
    files.append(
        (f"/backups/{EXTRA_FOLDER}/logs/{release.container}.log", "".join(f"{line}\n" for line in lines).encode())
    )
    return tuple(files)


def made_at(backup: str) -> datetime | None:
    """When a backup was begun, in UTC, from its id; None if somebody gave it another one."""
    try:
        return datetime.strptime(backup[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None

"""/v1/apps/{app}/backups: list, make, check, restore."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from orchestrator.api.access import Admin, Deployer, Reader, Serving, require_ready
from orchestrator.api.deployment_view import DeploymentView, deployment_view
from orchestrator.api.kept_backups import context_with, contexts_of
from orchestrator.api.values import App, BackupId
from orchestrator.app_data import backups
from orchestrator.app_data.backup_about import made_at
from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar import reason
from orchestrator.backup_sidecar.manifest import Entry, Summary
from orchestrator.clock import now
from orchestrator.domain.backup_events import BackupDeleted, BackupVerified
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.domain.release_history import Attempt, live_since
from orchestrator.errors import NotAllowed, Refused, StepFailed
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/apps/{app}/backups")


class BackupView(BaseModel):
    """One backup. `problem` is the error of a damaged one, whose `created_at` may not be known.

    `releases_since` are the versions that went live after it. `revision` is the source revision of the release and
    `image` the digest of its image. `data_schema` is the schema revision that the app's migrations reported, `schemas`
    are those in its SQLite files. `left_out` are links that point outside of the data; no backup has them.
    `notes` say what else is not in it as the app had it.
    `keep_backups`, for a new one: it is removed after so many others, and days with others; null for older ones.
    """

    id: str
    app: str
    version: str = ""
    revision: str = ""
    image: str = ""
    reason: str = ""
    created_at: datetime | None
    files: int = 0
    data_size: int = 0
    archive_size: int = 0
    data_schema: str = ""
    schemas: dict[str, str] = {}
    left_out: list[str] = []
    notes: list[str] = []
    releases_since: list[str] = []
    problem: str = ""
    keep_backups: int | None = None
    verified_at: datetime | None = None
    """When every byte of it was read and compared with its checksums last, and was as it should be."""


class Backups(BaseModel):
    backups: list[BackupView]


def view(kept: Summary, attempts: Sequence[Attempt]) -> BackupView:
    return BackupView(
        id=kept.id,
        app=kept.app,
        version=kept.version,
        revision=kept.revision,
        image=kept.image,
        reason=kept.reason,
        created_at=kept.made_at,
        files=kept.files,
        data_size=kept.data_size,
        archive_size=kept.archive_size,
        data_schema=kept.data_schema,
        schemas=kept.schemas,
        left_out=list(kept.left_out),
        notes=list(kept.notes),
        releases_since=live_since(attempts, _before_it(kept, attempts)),
    )


def _before_it(kept: Summary, attempts: Sequence[Attempt]) -> int:
    """The number of the last deployment before the backup. One of an earlier version does not have it, but the
    deployment that made the backup does. Without that, no release is known to have come after it."""
    by = [one.number - 1 for one in attempts if one.backup == kept.id]
    return kept.after or next(iter(by), sys.maxsize)


def entry_view(app: str, entry: Entry, attempts: Sequence[Attempt]) -> BackupView:
    if entry.summary:
        return view(entry.summary, attempts)
    made = made_at(entry.id)
    return BackupView(id=entry.id, app=app, created_at=made, archive_size=entry.size, problem=entry.problem)


@router.get("")
async def list_backups(app: App, orchestrator: Serving, _who: Reader) -> Backups:
    """The app's backups, the newest first, whatever the clock said when they were made.

    Also those of an app that is not configured any more, which may be in several places: a place after the other.
    """
    contexts = await contexts_of(orchestrator, app)
    attempts = await orchestrator.journal.beside(orchestrator.journal.attempts, app)
    async with orchestrator.sidecars_of_readers.turn_of(app):
        found = [entry for context in contexts for entry in await backups.entries(context)]
    verified = await orchestrator.journal.beside(orchestrator.journal.verified_backups, app)
    views = [entry_view(app, entry, attempts) for entry in found]
    return Backups(backups=[one.model_copy(update={"verified_at": verified.get(one.id)}) for one in views])


@router.post("", status_code=201)
async def create(app: App, orchestrator: Serving, who: Deployer) -> BackupView:
    """Make a backup while the app runs, and answer when it is complete."""
    require_ready(orchestrator)
    context = orchestrator.apps.get(app)
    async with context.data_turn:
        made = await backups.create(context, _active(orchestrator, context), reason=reason.by_hand(who.name))
    return view(made, []).model_copy(update={"keep_backups": context.config.update.backup.keep_backups})


@router.post("/{backup}/verify")
async def verify(app: App, backup: BackupId, orchestrator: Serving, _who: Reader) -> BackupView:
    """Read every byte of it, and compare it with its checksums. That it was done, and why it is damaged if it is, is
    recorded as an event."""
    async with orchestrator.sidecars_of_readers.turn_of(app):
        context = await context_with(orchestrator, app, backup)
        try:
            kept = await backups.check(context, backup)
        except StepFailed as error:
            await orchestrator.events.publish(BackupVerified(backup, error.cause), app)
            raise
    await orchestrator.events.publish(BackupVerified(backup), app)
    shown = view(kept, await orchestrator.journal.beside(orchestrator.journal.attempts, app))
    return shown.model_copy(update={"verified_at": now()})


class DeletedView(BaseModel):
    """The backup that was deleted."""

    app: str
    backup: str


@router.delete("/{backup}")
async def delete(app: App, backup: BackupId, orchestrator: Serving, who: Admin) -> DeletedView:
    """Delete a backup for ever. Refused where a rollback to the standby, what is unsettled in the data, or a deployment
    under way needs it. Waits until nothing copies or replaces the app's data."""
    require_ready(orchestrator)
    context = await context_with(orchestrator, app, backup)
    if busy := orchestrator.scheduler.busy_with(app):
        record = orchestrator.journal.deployment(busy.id)
        if backup in (record.backup, record.paused_backup, record.ref):
            doing = orchestrator.scheduler.doing(app)
            raise Refused(f"Backup {backup} is not deleted: it is needed by what is under way ({doing}).", "Try later.")
    async with context.data_turn:
        await backups.remove(context, backup)
    await orchestrator.events.publish(BackupDeleted(backup, who.name), app)
    return DeletedView(app=app, backup=backup)


class Part(StrEnum):
    """What a backup has for people: the configuration file of that time, and the last lines of the app's log."""

    CONFIG = "config"
    LOGS = "logs"


class ExtractedFile(BaseModel):
    name: str
    text: str


class Extract(BaseModel):
    files: list[ExtractedFile]


@router.get("/{backup}/extract")
async def extract(app: App, backup: BackupId, orchestrator: Serving, who: Admin, part: Part) -> Extract:
    """The files of one part of a backup, every byte of which is checked before.

    The configuration file is that of all apps, so a token for some apps may not read it.
    """
    if part is Part.CONFIG and who.apps is not None:
        raise NotAllowed(
            f"Token '{who.name}' is for some apps only; the configuration in a backup is that of all.",
            "Use a token for all apps.",
            known=True,
        )
    async with orchestrator.sidecars_of_readers.turn_of(app):
        found = await backups.extract(await context_with(orchestrator, app, backup), backup, part)
    return Extract(files=[ExtractedFile(name=name, text=text) for name, text in found.items()])


class RestoreRequest(BaseModel):
    """`release`: deploy the backup's release, too, and make it the active one."""

    model_config = ConfigDict(extra="forbid")
    release: bool = False


@router.post("/{backup}/restore")
async def restore(
    app: App,
    backup: BackupId,
    orchestrator: Serving,
    who: Admin,
    response: Response,
    wanted: RestoreRequest | None = None,
) -> DeploymentView:
    """Restore a backup, with requests paused. The answer's `backup` is the backup of the replaced data.

    Answers when it has ended: with status 502 if it failed.
    """
    require_ready(orchestrator)
    release = wanted is not None and wanted.release
    record = await orchestrator.scheduler.restore(app, backup, who.asker, Kind.RESTORE, release=release)
    if record.state is State.FAILED:
        response.status_code = 502
    return await orchestrator.journal.beside(deployment_view, orchestrator.journal, record)


def _active(orchestrator: Orchestrator, context: AppContext) -> Deployment:
    active = orchestrator.journal.slots(context.name).active
    if not active:
        raise Refused(
            f"Backup failed: {context.name} has no live release.", f"Deploy one: changeover deploy {context.name}"
        )
    return orchestrator.journal.deployment(active)

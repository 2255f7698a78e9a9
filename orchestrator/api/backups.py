"""/v1/apps/{app}/backups: list, make, check, restore."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel

from orchestrator.api.access import Admin, Deployer, Reader, Serving, require_ready
from orchestrator.api.deployment_view import DeploymentView, deployment_view
from orchestrator.app_data import backups
from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar.catalogue import Entry
from orchestrator.backup_sidecar.manifest import Manifest
from orchestrator.domain.deployment import Deployment, Kind, State
from orchestrator.errors import Refused
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/apps/{app}/backups")


class BackupView(BaseModel):
    """`problem` says what is wrong with one that is damaged. `releases_since` went live after it was made.

    `data_schema` is the revision that the app's migrations had reported, `schemas` those found in its SQLite files.
    `left_out` are links to outside of the data: whoever restores a backup gets no such link.
    """

    id: str
    app: str
    version: str = ""
    revision: str = ""
    reason: str = ""
    created_at: datetime
    files: int = 0
    data_size: int = 0
    archive_size: int = 0
    data_schema: str = ""
    schemas: dict[str, str] = {}
    left_out: list[str] = []
    releases_since: list[str] = []
    problem: str = ""


class Backups(BaseModel):
    backups: list[BackupView]


def view(manifest: Manifest, history: list[Deployment]) -> BackupView:
    return BackupView(
        id=manifest.id,
        app=manifest.app,
        version=manifest.version,
        revision=manifest.revision,
        reason=manifest.reason,
        created_at=manifest.made_at,
        files=len(manifest.files),
        data_size=manifest.data_size,
        archive_size=manifest.archive_size,
        data_schema=manifest.data_schema,
        schemas={file.path: file.schema for file in manifest.files if file.schema},
        left_out=list(manifest.left_out),
        releases_since=releases_since(manifest.made_at, history),
    )


def entry_view(app: str, entry: Entry, history: list[Deployment]) -> BackupView:
    if entry.manifest:
        return view(entry.manifest, history)
    made = datetime.strptime(entry.id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC)
    return BackupView(id=entry.id, app=app, created_at=made, archive_size=entry.size, problem=entry.problem)


def releases_since(moment: datetime, history: list[Deployment]) -> list[str]:
    """The oldest first, each once."""
    later = [one for one in reversed(history) if one.live_at and one.live_at > moment and one.kind is not Kind.RESTORE]
    return list(dict.fromkeys(one.release.version for one in later if one.release))


@router.get("")
async def list_backups(app: str, orchestrator: Serving, _who: Reader) -> Backups:
    context = orchestrator.apps.get(app)
    history = orchestrator.journal.deployments(app, limit=500)
    return Backups(backups=[entry_view(app, entry, history) for entry in await backups.entries(context)])


@router.post("", status_code=201)
async def create(app: str, orchestrator: Serving, who: Deployer) -> BackupView:
    """Answers when it is made; the app goes on writing meanwhile."""
    require_ready(orchestrator)
    context = orchestrator.apps.get(app)
    async with context.data_turn:
        manifest = await backups.create(context, _active(orchestrator, context), reason=f"asked for by {who}")
    return view(manifest, [])


@router.post("/{backup}/verify")
async def verify(app: str, backup: str, orchestrator: Serving, _who: Reader) -> BackupView:
    manifest = await backups.check(orchestrator.apps.get(app), backup)
    return view(manifest, orchestrator.journal.deployments(app, limit=500))


@router.post("/{backup}/restore")
async def restore(app: str, backup: str, orchestrator: Serving, who: Admin, response: Response) -> DeploymentView:
    """Requests wait while it is put back. What it replaces is kept as a backup of its own, `backup` in the answer.

    Answers with 502 when it did not succeed and the data is what it was.
    """
    require_ready(orchestrator)
    record = await orchestrator.scheduler.restore(app, backup, who, Kind.RESTORE)
    if record.state is State.FAILED:
        response.status_code = 502
    return deployment_view(orchestrator.journal, record)


def _active(orchestrator: Orchestrator, context: AppContext) -> Deployment:
    active = orchestrator.journal.slots(context.name).active
    if not active:
        raise Refused(
            f"{context.name} has no live release whose data could be backed up.", f"changeover deploy {context.name}"
        )
    return orchestrator.journal.deployment(active)

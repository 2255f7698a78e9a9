"""/v1/apps/{app}/backups: list, make, check, restore."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.access import Admin, Deployer, Reader, Serving, require_ready
from orchestrator.backups import jobs
from orchestrator.backups.archive import Manifest
from orchestrator.backups.catalogue import Catalogue
from orchestrator.errors import Refused

router = APIRouter(prefix="/apps/{app}/backups")


class BackupView(BaseModel):
    id: str
    app: str
    version: str
    revision: str
    reason: str
    created_at: str
    files: int
    data_size: int
    archive_size: int
    schemas: dict[str, str]


class Backups(BaseModel):
    backups: list[BackupView]


class RestoredView(BaseModel):
    """`replaced` is the backup of what was there; `held` how long requests waited, in seconds."""

    restored: BackupView
    replaced: BackupView
    held: float


def view(manifest: Manifest) -> BackupView:
    return BackupView(
        id=manifest.id,
        app=manifest.app,
        version=manifest.version,
        revision=manifest.revision,
        reason=manifest.reason,
        created_at=manifest.created_at,
        files=len(manifest.files),
        data_size=manifest.data_size,
        archive_size=manifest.archive_size,
        schemas={file.path: file.schema for file in manifest.files if file.schema},
    )


@router.get("")
async def list_backups(app: str, orchestrator: Serving, _who: Reader) -> Backups:
    site = orchestrator.site(app)
    return Backups(backups=[view(manifest) for manifest in Catalogue(site.backups).of(app)])


@router.post("", status_code=201)
async def create(app: str, orchestrator: Serving, who: Deployer) -> BackupView:
    """Answers when it is made; the app goes on writing meanwhile."""
    require_ready(orchestrator)
    site = orchestrator.site(app)
    active = orchestrator.journal.slots(app).active
    if not active:
        raise Refused(f"{app} has no live release whose data could be backed up.", f"changeover deploy {app}")
    return view(await jobs.create(site, orchestrator.journal.deployment(active), reason=f"asked for by {who}"))


@router.post("/{backup}/verify")
async def verify(app: str, backup: str, orchestrator: Serving, _who: Reader) -> BackupView:
    return view(await jobs.check(orchestrator.site(app), backup))


@router.post("/{backup}/restore")
async def restore(app: str, backup: str, orchestrator: Serving, _who: Admin) -> RestoredView:
    """Requests wait while it is put back. What it replaces is kept as a backup of its own."""
    require_ready(orchestrator)
    async with orchestrator.queue.exclusively(app):
        done = await jobs.restore(orchestrator.site(app), backup)
    orchestrator.events.publish("restored", app, backup=done.manifest.id, replaced=done.replaced.id)
    return RestoredView(restored=view(done.manifest), replaced=view(done.replaced), held=done.held_s)

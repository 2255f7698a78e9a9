"""/v1/leftovers: what apps have left that are not configured any more, and its removal."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel

from orchestrator.api.access import Admin, Serving, require_ready
from orchestrator.apps.context import AppContext
from orchestrator.deploy import leftovers
from orchestrator.deploy.leftovers import Leftover
from orchestrator.errors import UnknownApp
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/leftovers")

AppName = Annotated[str, Path(pattern=r"^[a-z][a-z0-9-]{0,30}$")]


class LeftoverView(BaseModel):
    """What one app has left: containers and volumes by name, images by tag, backups by id."""

    app: str
    containers: list[str]
    volumes: list[str]
    images: list[str]
    backups: list[str]


@router.get("/{app}")
async def show(app: AppName, orchestrator: Serving, _who: Admin) -> LeftoverView:
    return _view(await _of_app(orchestrator, orchestrator.apps.removed(app)))


@router.delete("/{app}")
async def remove(app: AppName, orchestrator: Serving, _who: Admin, keep_backups: bool = False) -> LeftoverView:
    """Remove it for ever, and answer what was removed. The app's history stays."""
    require_ready(orchestrator)
    orchestrator.apps.removed(app)
    async with orchestrator.scheduler.turn_of(app):
        # Only now: it may have been configured again while another one had the turn.
        context = orchestrator.apps.removed(app)
        left = await _of_app(orchestrator, context)
        mirror = orchestrator.settings.state / "sources" / f"{app}.git"
        places = orchestrator.apps.backup_places.of(app)
        await leftovers.remove(context, left, mirror, places, keep_backups=keep_backups)
        if not keep_backups:
            orchestrator.apps.backup_places.forget(app)
    return _view(left)


async def _of_app(orchestrator: Orchestrator, context: AppContext) -> Leftover:
    """What the app has left. Raises UnknownApp if that is nothing."""
    places = orchestrator.apps.backup_places.of(context.name)
    left = await leftovers.of_app(context, orchestrator.apps.all(), places)
    if left.is_nothing:
        raise UnknownApp(f"There is nothing left of an app '{context.name}'.", "See: changeover doctor")
    return left


def _view(left: Leftover) -> LeftoverView:
    return LeftoverView(
        app=left.app,
        containers=list(left.containers),
        volumes=list(left.volumes),
        images=list(left.images),
        backups=list(left.backups),
    )

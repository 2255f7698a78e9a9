"""/v1/apps/{app}/pause and /resume. The names that they had before, /hold and /release, go on working."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.api.access import Deployer, Serving

router = APIRouter(prefix="/apps/{app}")


class PauseRequest(BaseModel):
    """`limit`: how long one request may wait, in seconds."""

    model_config = ConfigDict(extra="forbid")
    limit: Annotated[float, Field(gt=0, le=600)] = 30


class Paused(BaseModel):
    """`held` is the older name of `paused`."""

    app: str
    paused: bool
    held: bool


@router.post("/pause")
@router.post("/hold", include_in_schema=False)
async def pause(app: str, orchestrator: Serving, _who: Deployer, wanted: PauseRequest | None = None) -> Paused:
    """New requests of the app wait, each at most `limit` seconds."""
    await orchestrator.proxy.pause(orchestrator.apps.get(app).name, (wanted or PauseRequest()).limit)
    return Paused(app=app, paused=True, held=True)


@router.post("/resume")
@router.post("/release", include_in_schema=False)
async def resume(app: str, orchestrator: Serving, _who: Deployer) -> Paused:
    """Let the waiting requests go."""
    await orchestrator.proxy.resume(orchestrator.apps.get(app).name)
    return Paused(app=app, paused=False, held=False)

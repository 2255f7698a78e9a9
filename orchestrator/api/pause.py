"""/v1/apps/{app}/pause and /resume. The former names, /hold and /release, are hidden aliases."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.api.access import Deployer, Serving
from orchestrator.api.values import App
from orchestrator.deploy import pause_by_hand

router = APIRouter(prefix="/apps/{app}")


class PauseRequest(BaseModel):
    """`limit`: the longest time that a request waits, in seconds."""

    model_config = ConfigDict(extra="forbid")
    limit: Annotated[float, Field(gt=0, le=600, allow_inf_nan=False)] = 30


class Paused(BaseModel):
    """`held` is the former name of `paused`."""

    app: str
    paused: bool
    held: bool


@router.post("/pause")
@router.post("/hold", include_in_schema=False)
async def pause(app: App, orchestrator: Serving, _who: Deployer, wanted: PauseRequest | None = None) -> Paused:
    """Pause new requests of the app. Each waits at most `limit` seconds, then it is answered with status 503.

    A restart of the orchestrator resumes them, and so does a deployment that pauses them itself, at its end. Refused
    while a deployment, a rollback or a restore has paused them.
    """
    context = orchestrator.apps.get(app)
    lane = orchestrator.scheduler.lane_of(app)
    await pause_by_hand.pause_requests(context, lane, (wanted or PauseRequest()).limit)
    orchestrator.health.due(app)
    return Paused(app=app, paused=True, held=True)


@router.post("/resume")
@router.post("/release", include_in_schema=False)
async def resume(app: App, orchestrator: Serving, _who: Deployer) -> Paused:
    """Resume the requests that a person has paused. Refused while a deployment, a rollback or a restore that has paused
    them, or its recovery, is under way. If the recovery fails, they can be resumed; what is written from then on is not
    undone by it."""
    context = orchestrator.apps.get(app)
    await pause_by_hand.resume_requests(context, orchestrator.scheduler.lane_of(app))
    orchestrator.health.due(app)
    return Paused(app=app, paused=False, held=False)

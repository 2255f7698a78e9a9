"""/v1/apps/{app}/mute: for some hours, people are told nothing of an app."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.alerts.mute import mute as mute_app
from orchestrator.alerts.mute import unmute as unmute_app
from orchestrator.api.access import Deployer, Serving
from orchestrator.api.values import App
from orchestrator.domain.mute import DEFAULT_HOURS, MOST_HOURS

router = APIRouter(prefix="/apps/{app}/mute")


class MuteRequest(BaseModel):
    """`hours`: how long, from now on."""

    model_config = ConfigDict(extra="forbid")
    hours: Annotated[float, Field(gt=0, le=MOST_HOURS, allow_inf_nan=False)] = DEFAULT_HOURS


class MuteView(BaseModel):
    """`muted_until`: null if the app is not muted."""

    app: str
    muted_until: datetime | None


@router.put("")
async def mute(app: App, orchestrator: Serving, who: Deployer, wanted: MuteRequest | None = None) -> MuteView:
    """Mute the app: no notice of it is sent, and the panel makes no toast for it, until then. What happens to it is
    recorded as before. An app that is muted already is muted from now on for as long as is asked for."""
    context = orchestrator.apps.get(app)
    hours = (wanted or MuteRequest()).hours
    asked = await mute_app(context.name, hours, who.name, orchestrator.journal, orchestrator.events)
    return MuteView(app=app, muted_until=asked.until)


@router.delete("")
async def unmute(app: App, orchestrator: Serving, who: Deployer) -> MuteView:
    """End the mute now. What happened meanwhile is not told afterwards."""
    context = orchestrator.apps.get(app)
    await unmute_app(context.name, who.name, orchestrator.journal, orchestrator.events)
    return MuteView(app=app, muted_until=None)

"""/v1/deployments: one deployment, its events, and cancel."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.api.access import Deployer, Reader, Serving
from orchestrator.api.deployment_view import DeploymentView, deployment_view
from orchestrator.api.events import EventView, event_view

router = APIRouter(prefix="/deployments")


class Events(BaseModel):
    events: list[EventView]


@router.get("/{deployment_id}")
async def show(deployment_id: str, orchestrator: Serving, _who: Reader) -> DeploymentView:
    return deployment_view(orchestrator.journal, orchestrator.journal.deployment(deployment_id))


@router.get("/{deployment_id}/events")
async def events(deployment_id: str, orchestrator: Serving, _who: Reader, after: int = 0) -> Events:
    """The deployment's events so far. `/v1/events` streams those that follow."""
    orchestrator.journal.deployment(deployment_id)
    return Events(events=[event_view(event) for event in orchestrator.journal.events(after, deployment_id)])


@router.post("/{deployment_id}/cancel")
async def cancel(deployment_id: str, orchestrator: Serving, _who: Deployer) -> DeploymentView:
    return deployment_view(orchestrator.journal, orchestrator.scheduler.cancel(deployment_id))

"""/v1/deployments: one deployment, its events, and cancel."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel

from orchestrator.access.caller import Caller
from orchestrator.api.access import DeployerOfSome, ReaderOfSome, Serving
from orchestrator.api.deployment_view import DeploymentView, deployment_view
from orchestrator.api.events import EventView, event_view
from orchestrator.api.values import After, DeploymentId, EventLimit
from orchestrator.domain.deployment import Deployment
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/deployments")


class Events(BaseModel):
    """`after` of the next page, if there is one."""

    events: list[EventView]
    after: int | None


@router.get("/{deployment_id}")
async def show(deployment_id: DeploymentId, orchestrator: Serving, who: ReaderOfSome) -> DeploymentView:
    found = await _of_callers_app(orchestrator, deployment_id, who)
    return await orchestrator.journal.beside(deployment_view, orchestrator.journal, found)


@router.get("/{deployment_id}/events")
async def events(
    deployment_id: DeploymentId, orchestrator: Serving, who: ReaderOfSome, after: After = 0, limit: EventLimit = 1000
) -> Events:
    """The deployment's events so far. `/v1/events` streams those that follow."""
    await _of_callers_app(orchestrator, deployment_id, who)
    found = await orchestrator.journal.beside(orchestrator.journal.events, after, deployment_id, limit)
    return Events(events=[event_view(one) for one in found], after=found[-1].id if len(found) == limit else None)


@router.post("/{deployment_id}/cancel")
async def cancel(deployment_id: DeploymentId, orchestrator: Serving, who: DeployerOfSome) -> DeploymentView:
    await _of_callers_app(orchestrator, deployment_id, who)
    cancelled = await orchestrator.scheduler.cancel(deployment_id)
    return await orchestrator.journal.beside(deployment_view, orchestrator.journal, cancelled)


async def _of_callers_app(orchestrator: Orchestrator, deployment_id: str, who: Caller) -> Deployment:
    """The deployment. Raises UnknownDeployment, and NotAllowed if the token is not for its app."""
    found = await orchestrator.journal.beside(orchestrator.journal.deployment, deployment_id)
    who.require_app(found.app)
    return found

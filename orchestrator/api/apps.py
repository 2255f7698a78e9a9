"""/v1/apps: what runs, its updates, and what can be done with an app."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.api.access import Deployer, Reader, Serving, require_ready
from orchestrator.api.views import AppView, DeploymentView, UpdateView, app_view, deployment_view, update_view
from orchestrator.model import Kind, State

router = APIRouter(prefix="/apps")

LOG_LINES = 200


class Apps(BaseModel):
    apps: list[AppView]


class Deployments(BaseModel):
    deployments: list[DeploymentView]


class Logs(BaseModel):
    container: str
    lines: list[str]


class DeploymentRequest(BaseModel):
    """`ref`: a branch, tag or revision; what the app's source follows when empty.

    `migrate` lets its migrations run where `update.migrations.auto_run` is off.
    """

    model_config = ConfigDict(extra="forbid")
    ref: str = ""
    migrate: bool = False


class RollbackRequest(BaseModel):
    """`restore`: a backup whose data the standby release goes on with; the data stays as it is when empty."""

    model_config = ConfigDict(extra="forbid")
    restore: str = ""


class HoldRequest(BaseModel):
    """`limit`: how long one request may wait, in seconds."""

    model_config = ConfigDict(extra="forbid")
    limit: Annotated[float, Field(gt=0, le=600)] = 30


class Held(BaseModel):
    app: str
    held: bool


@router.get("")
async def list_apps(orchestrator: Serving, _who: Reader) -> Apps:
    return Apps(apps=await asyncio.gather(*(app_view(orchestrator, site) for site in orchestrator.sites())))


@router.get("/{app}")
async def show(app: str, orchestrator: Serving, _who: Reader) -> AppView:
    return await app_view(orchestrator, orchestrator.site(app))


@router.get("/{app}/logs")
async def logs(app: str, orchestrator: Serving, _who: Reader, tail: int = LOG_LINES) -> Logs:
    site = orchestrator.site(app)
    active = orchestrator.journal.slots(app).active
    if not active:
        return Logs(container="", lines=[])
    container = orchestrator.journal.deployment(active).container
    return Logs(container=container, lines=list(await site.engine.logs(container, tail)))


@router.get("/{app}/update")
async def update(app: str, orchestrator: Serving, _who: Reader) -> UpdateView | None:
    return update_view(orchestrator.checker.known(orchestrator.site(app).name))


@router.post("/{app}/update/check")
async def check(app: str, orchestrator: Serving, _who: Reader) -> UpdateView | None:
    return update_view(await orchestrator.checker.check(orchestrator.site(app)))


@router.post("/{app}/update/dismiss")
async def dismiss(app: str, orchestrator: Serving, _who: Deployer) -> UpdateView | None:
    return update_view(orchestrator.checker.dismiss(orchestrator.site(app).name))


@router.post("/{app}/deployments", status_code=202)
async def deploy(
    app: str,
    orchestrator: Serving,
    who: Deployer,
    wanted: DeploymentRequest | None = None,
    idempotency_key: Annotated[str | None, Header()] = None,
) -> DeploymentView:
    """Answers at once; the deployment goes on. Asked again with the same key, it gives the same deployment."""
    require_ready(orchestrator)
    wanted = wanted or DeploymentRequest()
    asked = orchestrator.queue.request(app, wanted.ref, who, idempotency_key, migrate=wanted.migrate)
    return deployment_view(orchestrator, asked)


@router.get("/{app}/deployments")
async def history(
    app: str, orchestrator: Serving, _who: Reader, limit: Annotated[int, Query(ge=1, le=500)] = 20
) -> Deployments:
    found = orchestrator.journal.deployments(orchestrator.site(app).name, limit)
    return Deployments(deployments=[deployment_view(orchestrator, deployment) for deployment in found])


@router.post("/{app}/rollback")
async def roll_back(
    app: str, orchestrator: Serving, who: Deployer, response: Response, wanted: RollbackRequest | None = None
) -> DeploymentView:
    """Answers when the traffic has moved; with 502 when it could not be moved and is where it was."""
    require_ready(orchestrator)
    if wanted and wanted.restore:
        record = await orchestrator.queue.restore(app, wanted.restore, who, Kind.ROLLBACK)
    else:
        record = await orchestrator.queue.roll_back(app, who)
    if record.state is State.FAILED:
        response.status_code = 502
    return deployment_view(orchestrator, record)


@router.post("/{app}/hold")
async def hold(app: str, orchestrator: Serving, _who: Deployer, wanted: HoldRequest | None = None) -> Held:
    """New requests of the app wait, each at most `limit` seconds."""
    await orchestrator.proxy.pause(orchestrator.site(app).name, (wanted or HoldRequest()).limit)
    return Held(app=app, held=True)


@router.post("/{app}/release")
async def release(app: str, orchestrator: Serving, _who: Deployer) -> Held:
    await orchestrator.proxy.resume(orchestrator.site(app).name)
    return Held(app=app, held=False)

"""What the API shows of apps and deployments. Scripts of users rely on these names."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from orchestrator.errors import ProxyError
from orchestrator.model import Change, Deployment, Event, Failure, Revision, State, Update
from orchestrator.orchestrator import Orchestrator
from orchestrator.site import Site


class SlotView(BaseModel):
    colour: str
    version: str
    revision: str
    image: str
    container: str
    since: datetime | None


class UpdateView(BaseModel):
    version: str
    revision: str
    released_at: datetime
    checked_at: datetime
    origin: str
    changes: list[Change]


class CurrentDeploymentView(BaseModel):
    id: str
    state: str
    step: str | None


class AppView(BaseModel):
    name: str
    url: str
    active: SlotView | None
    standby: SlotView | None
    candidate: SlotView | None
    update: UpdateView | None
    deployment: CurrentDeploymentView | None
    health: str


class StepView(BaseModel):
    name: str
    state: str
    started_at: datetime
    seconds: float | None
    note: str


class DeploymentView(BaseModel):
    """`ref` is what was asked for: a branch, tag or revision, or the backup of a restore.

    `held`: how long requests waited at most while the data changed, in seconds; null where none had to.
    """

    id: str
    app: str
    kind: str
    state: str
    requested_by: str
    requested_at: datetime
    ref: str
    started_at: datetime | None
    live_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    held: float | None
    backup: str
    pending: list[Revision] | None
    version: str
    revision: str
    image: str
    colour: str | None
    container: str
    previous_version: str
    changes: list[Change]
    steps: list[StepView]
    failure: Failure | None


class EventView(BaseModel):
    id: int
    at: datetime
    kind: str
    app: str
    deployment: str
    fields: dict[str, Any]  # Any: each kind of event has its own plain JSON


def event_view(event: Event) -> EventView:
    return EventView(
        id=event.id, at=event.at, kind=event.kind, app=event.app, deployment=event.deployment, fields=event.fields
    )


def update_view(update: Update | None) -> UpdateView | None:
    if update is None:
        return None
    return UpdateView(
        version=update.release.version,
        revision=update.release.revision,
        released_at=update.released_at,
        checked_at=update.checked_at,
        origin=update.origin,
        changes=list(update.changes),
    )


def deployment_view(orchestrator: Orchestrator, deployment: Deployment) -> DeploymentView:
    release = deployment.release
    previous = orchestrator.journal.deployment(deployment.previous).release if deployment.previous else None
    return DeploymentView(
        id=deployment.id,
        app=deployment.app,
        kind=deployment.kind,
        state=deployment.state,
        requested_by=deployment.requested_by,
        requested_at=deployment.requested_at,
        ref=deployment.ref,
        started_at=deployment.started_at,
        live_at=deployment.live_at,
        ended_at=deployment.ended_at,
        seconds=deployment.seconds_to_live,
        held=deployment.held_seconds,
        backup=deployment.backup,
        pending=None if deployment.pending is None else list(deployment.pending),
        version=release.version if release else "",
        revision=release.revision if release else "",
        image=release.image if release else "",
        colour=deployment.colour,
        container=deployment.container,
        previous_version=previous.version if previous else "",
        changes=list(deployment.changes),
        steps=[
            StepView(name=step.name, state=step.state, started_at=step.started_at, seconds=step.seconds, note=step.note)
            for step in deployment.steps
        ],
        failure=deployment.failure,
    )


async def app_view(orchestrator: Orchestrator, site: Site) -> AppView:
    journal = orchestrator.journal
    slots = journal.slots(site.name)
    active = journal.deployment(slots.active) if slots.active else None
    standby = journal.deployment(slots.standby) if slots.standby else None
    held = orchestrator.queue.busy_with(site.name)
    current = journal.deployment(held.id) if held else None
    under_way = next((step.name for step in reversed(current.steps)), None) if current else None
    candidate = current if current and current.state is State.RUNNING and current.address else None
    return AppView(
        name=site.name,
        url=url_of(orchestrator, site),
        active=_slot(active),
        standby=_slot(standby),
        candidate=_slot(candidate),
        update=update_view(orchestrator.checker.known(site.name)),
        deployment=CurrentDeploymentView(id=current.id, state=current.state, step=under_way) if current else None,
        health=await _health(site, active),
    )


def url_of(orchestrator: Orchestrator, site: Site) -> str:
    public, route = orchestrator.settings.public_url, site.app.route
    if route.host:
        scheme, _, rest = public.partition("://")
        _, colon, port = rest.partition(":")
        return f"{scheme}://{route.host}{colon}{port}"
    return public + (route.path or "")


async def _health(site: Site, active: Deployment | None) -> str:
    """`healthy`, `unhealthy`, `stopped` or `none`.

    Unhealthy is an active release whose readiness path does not answer well, also while the standby answers for it.
    """
    if active is None:
        return "none"
    status = await site.engine.status(active.container)
    if status is None or not status.running:
        return "stopped"
    if active.colour is None:
        return "none"
    try:
        answer = await site.proxy.ask_colour(site.name, active.colour, site.app.health.path)
    except ProxyError:
        return "unhealthy"
    return "healthy" if answer.is_success and not site.proxy.answered_for(answer) else "unhealthy"


def _slot(deployment: Deployment | None) -> SlotView | None:
    if deployment is None or deployment.release is None:
        return None
    return SlotView(
        colour=str(deployment.colour),
        version=deployment.release.version,
        revision=deployment.release.revision,
        image=deployment.release.image,
        container=deployment.container,
        since=deployment.live_at,
    )

"""A deployment as the API returns it. Users' scripts rely on these names."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from orchestrator.domain.deployment import Deployment, Failure, State
from orchestrator.domain.in_hand import InHand
from orchestrator.domain.release import Change
from orchestrator.domain.schema_history import SchemaRevision
from orchestrator.journal.store import Journal


class StepView(BaseModel):
    name: str
    state: str
    started_at: datetime
    seconds: float | None
    note: str


class DeploymentView(BaseModel):
    """`ref` is what was requested: a branch, tag or commit, or the backup of a restore. `revision` is the commit.

    `seconds` is the time from the start to the switch. `paused` is how long requests were paused while the data
    changed, in seconds; null if they were not. `interrupted_by`: person, stop or kill; null if nothing interrupted it.
    `slot`: active or standby, if the deployment's container is that now; removed, if its release was the last of an app
    that was removed; or empty: a deployment stays in the state `live` when a newer one has replaced it.
    `colour` and `container` are what the deployment has chosen; null and empty if it ended before that container was
    made.
    `cut` is what draining cut, by kind, before the data changed and after the switch; null if nothing was cut so far.
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
    paused: float | None
    cut: InHand | None
    backup: str
    pending: list[SchemaRevision] | None
    version: str
    revision: str
    image: str
    colour: str | None
    container: str
    previous_version: str
    changes: list[Change]
    steps: list[StepView]
    failure: Failure | None
    interrupted_by: str | None
    slot: str


def deployment_view(journal: Journal, deployment: Deployment) -> DeploymentView:
    release = deployment.release
    previous = journal.deployment(deployment.previous).release if deployment.previous else None
    has_container = not deployment.made_no_container
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
        paused=deployment.paused_s,
        cut=deployment.cut,
        backup=deployment.backup,
        pending=None if deployment.pending is None else list(deployment.pending),
        version=release.version if release else "",
        revision=release.source_revision if release else "",
        image=release.image if release else "",
        colour=deployment.colour if has_container else None,
        container=deployment.container if has_container else "",
        previous_version=previous.version if previous else "",
        changes=list(deployment.changes),
        steps=[
            StepView(name=step.name, state=step.state, started_at=step.started_at, seconds=step.seconds, note=step.note)
            for step in deployment.steps
        ],
        failure=deployment.failure,
        interrupted_by=deployment.interrupted_by,
        slot=_slot(journal, deployment),
    )


def _slot(journal: Journal, deployment: Deployment) -> str:
    slots = journal.slots(deployment.app)
    if not slots.active and deployment.state is State.LIVE and _was_last(journal, deployment):
        return "removed"
    return {slots.standby: "standby", slots.active: "active"}.get(deployment.id, "")


def _was_last(journal: Journal, deployment: Deployment) -> bool:
    """Whether no later deployment has made a release live."""
    live = (one.deployment for one in journal.attempts(deployment.app) if one.state is State.LIVE)
    return next(live, "") == deployment.id

"""/v1/apps/{app}: updates, deployments and rollback."""

from __future__ import annotations

from typing import Annotated, Any, Self

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from orchestrator.api.access import Deployer, Reader, Serving, require_ready
from orchestrator.api.deployment_view import DeploymentView, deployment_view
from orchestrator.api.update_view import UpdateView, update_view
from orchestrator.api.values import (
    App,
    ArchiveToDeploy,
    BackupToRestore,
    Before,
    ContainerName,
    IdempotencyKey,
    ImageToDeploy,
    Ref,
    VersionOfArchive,
)
from orchestrator.domain.access import Scope
from orchestrator.domain.by_hand import ARCHIVE, IMAGE, requested, why_no_image_reference
from orchestrator.domain.deployment import Kind, State
from orchestrator.host.fair_turns import FairTurns

router = APIRouter(prefix="/apps")

AT_ONCE = (4, 1)
"""So many pages of a history are read at the same time, in total and for one token: one has up to 100,000 changes."""


class Deployments(BaseModel):
    """`before` of the next page, if there is one."""

    deployments: list[DeploymentView]
    before: int | None


class DeploymentRequest(BaseModel):
    """`ref`: a branch, tag or commit; empty: the newest release of the app's source.

    Instead of it, `image`: an image of a registry or of the engine, by its name with a tag or digest, or its id; or
    `archive`: the name that an uploaded archive got, with a `version` for people.

    `migrate` allows migrations although `update.migrations.auto_run` is off. `force` deploys a release that is live
    already, with the same configuration; otherwise such a deployment ends as unchanged. It also deploys one of before
    an incompatible migration on the newer data; otherwise that is refused.
    """

    model_config = ConfigDict(extra="forbid")
    ref: Ref = ""
    image: ImageToDeploy = ""
    archive: ArchiveToDeploy = ""
    version: VersionOfArchive = ""
    migrate: bool = False
    force: bool = False

    @field_validator("ref")
    @classmethod
    def _is_of_the_source(cls, value: str) -> str:
        if requested(value):
            raise ValueError("no branch, tag or commit begins so; name an image as image, an archive as archive")
        return value

    @field_validator("image")
    @classmethod
    def _is_an_image(cls, value: str) -> str:
        if value and (why := why_no_image_reference(value)):
            raise ValueError(f"it is not the name of an image such as registry.example.com/shop:1.2.3: {why}")
        return value

    @model_validator(mode="after")
    def _is_one_release(self) -> Self:
        if sum(map(bool, (self.ref, self.image, self.archive))) > 1:
            raise ValueError("a deployment has either ref, image or archive")
        if self.version and not self.archive:
            raise ValueError("only an archive has a version that is given")
        return self

    @property
    def wanted(self) -> str:
        """What is requested, as the journal has it."""
        if self.image:
            return f"{IMAGE}{self.image}"
        return f"{ARCHIVE}{self.archive}{f':{self.version}' if self.version else ''}" if self.archive else self.ref


class RollbackRequest(BaseModel):
    """`restore`: the id of a backup to restore with the rollback; empty: the data is kept.

    `container`: the standby's container that a person was shown; the rollback is refused if another one is standby now.
    """

    model_config = ConfigDict(extra="forbid")
    restore: BackupToRestore = ""
    container: ContainerName = ""


@router.get("/{app}/update")
async def update(app: App, orchestrator: Serving, _who: Reader) -> UpdateView | None:
    name = orchestrator.apps.get(app).name
    return update_view(orchestrator.checker.known(name), orchestrator.checker.waits(name))


@router.post("/{app}/update/check")
async def check(app: App, orchestrator: Serving, _who: Reader, afresh: bool = False) -> UpdateView | None:
    """Ask the app's source. `afresh`: without "only if it changed since", also where caches on the way would answer."""
    context = orchestrator.apps.get(app)
    return update_view(await orchestrator.checker.check(context, afresh=afresh), orchestrator.checker.waits(app))


@router.post("/{app}/deployments", status_code=202)
async def deploy(
    app: App,
    orchestrator: Serving,
    who: Deployer,
    wanted: DeploymentRequest | None = None,
    idempotency_key: Annotated[IdempotencyKey, Header()] = None,
) -> DeploymentView:
    """Queue a deployment, and answer at once. The same idempotency key gives the same deployment again."""
    require_ready(orchestrator)
    wanted = wanted or DeploymentRequest()
    asked = await orchestrator.scheduler.request(
        app, wanted.wanted, who.asker, idempotency_key, migrate=wanted.migrate, force=wanted.force
    )
    return await orchestrator.journal.beside(deployment_view, orchestrator.journal, asked)


@router.get("/{app}/deployments", response_model=Deployments)
async def history(
    app: App,
    request: Request,
    orchestrator: Serving,
    who: Reader,
    limit: Annotated[int, Query(ge=1, le=500)] = 20,
    before: Before = None,
) -> Response:
    """The newest deployments first; with `before`, those before it. Also of an app that is not configured any more."""
    journal, name = orchestrator.journal, (await orchestrator.apps.known(app)).name

    def page() -> Any:  # Any: JSON
        found = journal.deployments(name, limit, before)
        views = [deployment_view(journal, deployment) for deployment in found]
        after = found[-1].number if len(found) == limit else None
        # Here, in a thread: each has its changelog, and the framework would write them on the event loop.
        return Deployments(deployments=views, before=after).model_dump(mode="json")

    turns: FairTurns = request.app.state.histories
    async with turns.turn_of(who.name):
        return request.app.state.answer(await journal.beside(page))  # type: ignore[no-any-return]


@router.post("/{app}/rollback")
async def roll_back(
    app: App, orchestrator: Serving, who: Deployer, response: Response, wanted: RollbackRequest | None = None
) -> DeploymentView:
    """Roll back, and answer when it has ended: with status 502 if it failed. `restore` requires the scope admin."""
    restore = wanted.restore if wanted else ""
    if restore:
        who.require(Scope.ADMIN, "a rollback that restores a backup")
    require_ready(orchestrator)
    if restore:
        record = await orchestrator.scheduler.restore(app, restore, who.asker, Kind.ROLLBACK)
    else:
        record = await orchestrator.scheduler.roll_back(app, who.asker, wanted.container if wanted else "")
    if record.state is State.FAILED:
        response.status_code = 502
    return await orchestrator.journal.beside(deployment_view, orchestrator.journal, record)

"""/v1/apps/{app}/update/versions, /skip and /dismiss: the versions that a source has, and those that nobody wants."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from orchestrator.api.access import Deployer, Reader, Serving
from orchestrator.api.update_view import UpdateView, update_view
from orchestrator.api.values import NO_CONTROL, App
from orchestrator.updates.listed_versions import Listed
from orchestrator.updates.remembered import LONGEST

router = APIRouter(prefix="/apps")

LONGEST_SHOWN = 1000
"""Characters of a version that is dismissed. It is remembered by its first ones."""


class VersionView(BaseModel):
    """`ref` is what `deploy --ref` takes. `state`: `live`, `standby`, `was_live`, `failed`, `skipped`, or empty.
    `followed`: whether the configuration follows it; one that is not can be deployed by hand."""

    version: str
    ref: str
    released_at: datetime | None
    followed: bool
    state: str


class Versions(BaseModel):
    """The newest first; at most 100."""

    versions: list[VersionView]


class SkipRequest(BaseModel):
    """`undo`: offer the version again."""

    model_config = ConfigDict(extra="forbid")
    version: Annotated[str, Field(min_length=1, max_length=LONGEST, pattern=f"^{NO_CONTROL}*$")]
    undo: bool = False


class Skip(BaseModel):
    """Whether this version is skipped now."""

    app: str
    version: str
    skipped: bool


class DismissRequest(BaseModel):
    """`version`: what the person saw. It is refused (409) if another one is shown now; empty: whatever is shown."""

    model_config = ConfigDict(extra="forbid")
    version: Annotated[str, Field(max_length=LONGEST_SHOWN, pattern=f"^{NO_CONTROL}*$")] = ""


@router.get("/{app}/update/versions")
async def versions(app: App, orchestrator: Serving, _who: Reader) -> Versions:
    """Ask the source for its versions."""
    listed = await orchestrator.checker.lists.of(orchestrator.apps.get(app))
    return Versions(versions=[_view(one) for one in listed])


@router.post("/{app}/update/skip")
async def skip(app: App, orchestrator: Serving, who: Deployer, wanted: SkipRequest) -> Skip:
    """Never offer this version, nor install it by itself. A person can still deploy it. One that the source does not
    have (404), or that is live (409), is refused."""
    context = orchestrator.apps.get(app)
    name = context.name
    if not wanted.undo:
        crash = await orchestrator.crashed_standbys.of(context)
        await orchestrator.checker.refuse_skip(context, wanted.version, crash)
    await orchestrator.checker.skip(name, wanted.version, who.name, undo=wanted.undo)
    return Skip(app=name, version=wanted.version, skipped=not wanted.undo)


@router.post("/{app}/update/dismiss")
async def dismiss(
    app: App, orchestrator: Serving, _who: Deployer, wanted: DismissRequest | None = None
) -> UpdateView | None:
    """Do not show the update for 24 hours, or why the newest release is not offered. Answers with the update, if it is
    one."""
    name = orchestrator.apps.get(app).name
    return update_view(await orchestrator.checker.dismiss(name, wanted.version if wanted else ""))


def _view(one: Listed) -> VersionView:
    version = one.version
    return VersionView(
        version=version.version,
        ref=version.ref,
        released_at=version.released_at,
        followed=version.is_followed,
        state=one.state,
    )

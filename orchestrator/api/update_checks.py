"""/v1/apps/{app}/update/checks: what became of pushes. And the secret by which they are signed."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict

from orchestrator.api.access import Admin, Reader, Serving
from orchestrator.api.values import App, CheckId
from orchestrator.config.schema import PANEL
from orchestrator.domain.push_check import CheckState, Forge, PushCheck
from orchestrator.errors import Refused, UnknownCheck
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.proxy.hooks_way import PATH
from orchestrator.pushes.secret import make_push_secret

router = APIRouter(prefix="/apps")


class CheckView(BaseModel):
    """A check that a push asked for. `deployment` is the one that came of it, `says` why none did."""

    id: str
    app: str
    state: CheckState
    forge: Forge
    requested_at: datetime
    ended_at: datetime | None
    revision: str
    version: str
    deployment: str
    says: str


class Checks(BaseModel):
    checks: list[CheckView]


class PushSecretRequest(BaseModel):
    """`replace`: make another secret where there is one, which is not accepted any more."""

    model_config = ConfigDict(extra="forbid")
    replace: bool = False


class HookView(BaseModel):
    forge: Forge
    path: str


class PushSecretView(BaseModel):
    """A new secret, which is returned only once, the file that has it, and the addresses of the app's hooks below the
    panel's own."""

    secret: str
    file: str
    url: str
    hooks: list[HookView]


@router.get("/{app}/update/checks")
async def checks(
    app: App, orchestrator: Serving, _who: Reader, limit: Annotated[int, Query(ge=1, le=500)] = 20
) -> Checks:
    """The newest checks first that pushes asked for. Also of an app that is not configured any more."""
    journal, name = orchestrator.journal, (await orchestrator.apps.known(app)).name
    return Checks(checks=[_view(one) for one in await journal.beside(journal.push_checks, name, limit)])


@router.get("/{app}/update/checks/{check_id}")
async def check(app: App, check_id: CheckId, orchestrator: Serving, _who: Reader) -> CheckView:
    """What became of a push: it waits, there is nothing new, it failed, or its deployment."""
    found = await orchestrator.journal.beside(orchestrator.journal.push_check, app, check_id)
    if found is None:
        raise UnknownCheck(f"No check {check_id} of {app} is known.", f"List the newest: changeover pushes {app}")
    return _view(found)


@router.post("/{app}/push-secret", status_code=201)
async def make_secret(
    app: App, orchestrator: Serving, _who: Admin, wanted: PushSecretRequest | None = None
) -> PushSecretView:
    """Write a new secret into the file that the configuration names, and return it."""
    push = orchestrator.apps.get(app).config.push
    if push is None:
        where = "at the top level" if app == PANEL else f"below {app}"
        raise Refused(
            f"{app} takes no pushes: its configuration has no section push.",
            f"Add this line {where}, then try again: push: {{secret_file: secrets/{app}-hook}}",
        )
    folder = orchestrator.settings.config.parent
    replaces = bool(wanted and wanted.replace)
    secret = await to_its_end(asyncio.to_thread(make_push_secret, folder, push.secret_file, app, replace=replaces))
    host = orchestrator.config_file.config.public.panel.host
    url = f"https://{host}" if host else orchestrator.settings.public_url.rstrip("/")
    hooks = [HookView(forge=forge, path=f"{PATH}{app}/{forge}") for forge in Forge]
    return PushSecretView(secret=secret, file=push.secret_file, url=url, hooks=hooks)


def _view(check: PushCheck) -> CheckView:
    return CheckView(
        id=check.id,
        app=check.app,
        state=check.state,
        forge=check.forge,
        requested_at=check.requested_at,
        ended_at=check.ended_at,
        revision=check.revision,
        version=check.version,
        deployment=check.deployment,
        says=check.says,
    )

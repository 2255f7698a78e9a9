"""/v1/audit: the audit log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from orchestrator.api.access import Auditor, Serving
from orchestrator.api.values import MOST_ID, NO_CONTROL
from orchestrator.domain.access import AuditEntry

router = APIRouter(prefix="/audit")


class EntryView(BaseModel):
    """`who` is the token's name, empty if there was none. `status` is null if the request has no recorded outcome.

    `outcome` is `done`, `refused`, `failed` or `unknown`.
    """

    id: int
    at: datetime
    who: str
    origin: str
    action: str
    app: str
    status: int | None
    outcome: str
    reason: str


class Entries(BaseModel):
    """`before` of the next page, if there is one."""

    entries: list[EntryView]
    before: int | None


@router.get("")
async def show(
    orchestrator: Serving,
    _who: Auditor,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Annotated[int | None, Query(ge=0, le=MOST_ID)] = None,
    app: Annotated[str, Query(max_length=64, pattern=f"^{NO_CONTROL}*$")] = "",
    who: Annotated[str, Query(max_length=100, pattern=f"^{NO_CONTROL}*$")] = "",
    refused: bool = False,
) -> Entries:
    """The newest entries first; with `before`, those with smaller ids. `refused`: only what was refused or failed."""
    found = await orchestrator.audit.entries(limit, before, app, who, refused_only=refused)
    return Entries(entries=[_view(entry) for entry in found], before=found[-1].id if len(found) == limit else None)


def _view(entry: AuditEntry) -> EntryView:
    return EntryView(
        id=entry.id,
        at=entry.at,
        who=entry.who,
        origin=entry.origin,
        action=entry.action,
        app=entry.app,
        status=entry.status,
        outcome=_outcome(entry.status),
        reason=entry.reason,
    )


def _outcome(status: int | None) -> str:
    if status is None:
        return "unknown"
    if status < 400:
        return "done"
    return "failed" if status >= 500 else "refused"

"""/v1/alerts: what went wrong in the last 90 days, and what goes on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel

from orchestrator.api.access import ReaderOfSome, Serving
from orchestrator.api.values import NO_CONTROL, Before
from orchestrator.domain.alert import Alert, AlertKind

router = APIRouter(prefix="/alerts")

Since = Annotated[
    AwareDatetime | None,
    Query(
        ge=datetime(2000, 1, 1, tzinfo=UTC),
        le=datetime(9000, 1, 1, tzinfo=UTC),
        description="Only those that have not ended before this moment, which has a time zone.",
    ),
]


class AlertView(BaseModel):
    """`app` is empty for an alert of the whole host. `ended_at` is null while it goes on. `deployment` is the one that
    failed, empty for other alerts. `muted`: the app was muted when it began."""

    id: int
    kind: AlertKind
    app: str
    began_at: datetime
    ended_at: datetime | None
    cause: str
    deployment: str
    muted: bool


class Alerts(BaseModel):
    """`before` of the next page, if there is one."""

    alerts: list[AlertView]
    before: int | None


@router.get("")
async def show(
    orchestrator: Serving,
    who: ReaderOfSome,
    app: Annotated[str, Query(max_length=64, pattern=f"^{NO_CONTROL}*$")] = "",
    since: Since = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    before: Before = None,
) -> Alerts:
    """The newest first; with `before`, those with smaller ids. Of the apps that the token is for; a token for all apps
    is told of the host as well."""
    if app:
        who.require_app(app)
    apps = (app,) if app else who.apps
    journal = orchestrator.journal
    found = await journal.beside(journal.alerts, limit, before, apps, since)
    return Alerts(alerts=[_view(one) for one in found], before=found[-1].id if len(found) == limit else None)


def _view(one: Alert) -> AlertView:
    return AlertView(
        id=one.id,
        kind=one.kind,
        app=one.app,
        began_at=one.began_at,
        ended_at=one.ended_at,
        cause=one.cause,
        deployment=one.deployment,
        muted=one.muted,
    )

"""/v1/traffic and /v1/apps/{app}/traffic: what was asked of each app, and how it was answered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime, BaseModel, BeforeValidator

from orchestrator.api.access import Reader, ReaderOfSome, Serving
from orchestrator.api.values import App
from orchestrator.clock import now
from orchestrator.domain.colour import Colour
from orchestrator.domain.deployment import Kind
from orchestrator.domain.traffic import Point, known
from orchestrator.server import Orchestrator
from orchestrator.traffic.history import BY_SECOND

router = APIRouter()

MOST_SECONDS, MOST_TEXT = 7 * 24 * 3600, 40
MOST_SWITCHES = 200
"""Of so many newest deployments, those are shown that went live."""
Values = list[float | None]
"""One for each time, the oldest first; null for a gap."""


def _moment(since: object) -> object:
    """Of so many seconds, the moment that was so long ago; else that of ISO 8601. Raises ValueError."""
    if not isinstance(since, str) or len(since) > MOST_TEXT:
        raise ValueError("a moment has fewer characters")
    if since.isascii() and since.isdecimal():
        if not 1 <= int(since) <= MOST_SECONDS:
            raise ValueError(f"1 to {MOST_SECONDS} seconds ago")
        return now() - timedelta(seconds=int(since))
    return datetime.fromisoformat(since)


Since = Annotated[
    AwareDatetime | None,
    BeforeValidator(_moment),
    Query(description="The first moment, in ISO 8601 with its zone; or so many seconds ago, at most those of 7 days."),
]


class AppTraffic(BaseModel):
    """`requests` per second; null where it is not known. `errors`: the share of the last minute's requests that failed,
    null without requests. `p99`: in milliseconds, of the last minute. `ticks`: a sign for each of the last probes, `+`
    answered well, `-` not, `?` not known; the oldest first."""

    requests: Values
    errors: float | None
    p99: float | None
    ticks: str


class Traffic(BaseModel):
    """`at`: when the newest sample was taken, null before the first one. `step`: seconds from one to the next."""

    at: datetime | None
    step: int
    apps: dict[str, AppTraffic]


class Switch(BaseModel):
    """A release got the traffic."""

    at: datetime
    version: str
    colour: Colour


class ContainerColumns(BaseModel):
    """`cpu`: the share of a core. `memory`: in bytes, without the file cache that the kernel can take back."""

    colour: Colour
    cpu: Values
    memory: Values


class Columns(BaseModel):
    """A value for each time in `at`, which is the end of a step of `step` seconds; null for a gap.

    `requests` and the columns of each kind are per second: `ok` has 1xx and 2xx, `failed` the connections and answers
    that failed. `connections` and `queue`: how many there were. `p50`, `p90`, `p99`: milliseconds to the beginning of
    the answer, null without requests.
    """

    app: str
    step: int
    at: list[datetime]
    requests: Values
    ok: Values
    redirects: Values
    client_errors: Values
    server_errors: Values
    failed: Values
    connections: Values
    queue: Values
    p50: Values
    p90: Values
    p99: Values
    switches: list[Switch]
    containers: dict[str, ContainerColumns]


@router.get("/traffic")
async def traffic(
    orchestrator: Serving, who: ReaderOfSome, seconds: Annotated[int, Query(ge=1, le=BY_SECOND[1])] = 60
) -> Traffic:
    """The requests of each app by the second, of so many last seconds, and how those of the last minute went."""
    found = orchestrator.traffic
    history, last_minute = found.history, found.history.last_minute
    names = (context.name for context in orchestrator.apps.all() if who.sees(context.name))
    apps = {
        name: AppTraffic(
            requests=[_rounded(one) for one in history.seconds.first_values(name, seconds)],
            errors=_rounded(last_minute.errors(name), 4),
            p99=_rounded(last_minute.p99(name)),
            ticks=found.ticks.of(name),
        )
        for name in names
    }
    return Traffic(at=history.newest_at, step=history.seconds.step, apps=apps)


@router.get("/apps/{app}/traffic")
async def app_traffic(app: App, orchestrator: Serving, _who: Reader, since: Since = None) -> Columns:
    """What was asked of an app, from a moment on, or in the last 10 minutes.

    The farther back it begins, the longer are the steps: 1 s for 10 minutes, 10 s for 6 hours, and 1 minute for 7 days.
    `switches`, the oldest first, are those of this time.
    """
    name, since = orchestrator.apps.get(app).name, since or now() - timedelta(seconds=BY_SECOND[1])
    found = await orchestrator.traffic.columns(name, since)
    columns = {
        column: [None if point is None else _rounded(known(getattr(point, column)), 3) for point in found.points]
        for column in Point._fields
    }
    containers = {
        container.name: ContainerColumns(
            colour=container.colour,
            cpu=[None if use is None else _rounded(known(use.cpu), 4) for use in uses],
            memory=[None if use is None else known(use.memory) for use in uses],
        )
        for container, uses in found.containers.items()
    }
    switches = await _switches(orchestrator, name, since)
    return Columns(app=name, step=found.step, at=found.at, **columns, switches=switches, containers=containers)


async def _switches(orchestrator: Orchestrator, app: str, since: datetime) -> list[Switch]:
    journal = orchestrator.journal
    newest = await journal.beside(journal.deployments, app, MOST_SWITCHES)
    return [
        Switch(at=one.live_at, version=one.version, colour=one.colour)
        for one in reversed(newest)
        if one.live_at and one.live_at >= since and one.colour and (one.kind is not Kind.RESTORE or one.brings_release)
    ]


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)

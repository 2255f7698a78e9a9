"""/v1/apps/{app}/logs: the log of any container of an app, of removed ones too, alone or merged, and as it is written.

A log that is followed is a stream of JSON (json_lines.py): `{"line": …}` is a line, with `at`, `container`,
`deployment`, `stream` and `level`; `{"line": …, "note": true}` says what is missing; `{}` is a sign of life.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from orchestrator.access.caller import Caller
from orchestrator.api.access import Reader, Serving
from orchestrator.api.json_lines import MEDIA_TYPE, as_line, problem_value, shown
from orchestrator.api.values import App, LogLines, LogMoment, LogOf, LogSearch
from orchestrator.api.while_allowed import while_allowed
from orchestrator.clock import now
from orchestrator.domain.log_line import Level, LogRange, moment_of
from orchestrator.errors import ChangeoverError, InvalidSearch, NotAllowed
from orchestrator.host.fair_turns import FairTurns
from orchestrator.logs.follow import Following
from orchestrator.logs.merge import Logs, Said
from orchestrator.logs.moment import moment
from orchestrator.logs.news import LogNews
from orchestrator.logs.origins import Origin, Origins, chosen, origins_of
from orchestrator.logs.search import Wanted, check
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/apps/{app}/logs")

AT_ONCE = (4, 2)
"""So many logs are read or searched at the same time, in total and for one token."""
LOG_LINES, FOLLOWED_LINES = 200, 100
ACTIVE = "active"
_FOLLOWED_NO_MORE = NotAllowed(
    "The log is not followed any more: the token was revoked or has expired, or has too many streams.",
    "Use a valid token, and end what follows logs or events with it elsewhere.",
)


class LogView(BaseModel):
    """One log that an app has. `place`: where its container is, or `steps`, for the output of a deployment's build and
    sidecars. `removed_at`: its container is removed, and this is kept of it; `left_out` says what is not."""

    container: str
    place: str
    deployment: str
    colour: str
    version: str
    running: bool
    removed_at: datetime | None
    left_out: str


class LogList(BaseModel):
    logs: list[LogView]
    problem: str
    """Why the logs of containers that exist are missing; empty: they are not."""


class Entry(BaseModel):
    """One line. `stream` is stdout or stderr, `level` debug, info, warning, error, critical or empty: not told."""

    at: str
    container: str
    deployment: str
    stream: str
    level: str
    text: str


class LogLinesView(BaseModel):
    """`container`: whose log it is, if it is that of one. With `entries=true`, `entries` instead of `lines`.

    `left_out` are sentences about what is missing."""

    container: str
    lines: list[str]
    entries: list[Entry]
    left_out: list[str]


class Asked:
    """What is asked of the logs, from the query of a request. Raises InvalidSearch."""

    def __init__(
        self,
        container: LogOf = ACTIVE,
        since: LogMoment = "",
        until: LogMoment = "",
        level: Level | None = None,
        search: LogSearch = "",
        regex: Annotated[bool, Query(description="`search` is a regular expression of Python.")] = False,
    ) -> None:
        self.container = container
        self.wanted = Wanted(level, search, regex and bool(search))
        check(self.wanted)
        try:
            self.since, self.until = moment(since, now()), moment(until, now())
        except ValueError as error:
            raise InvalidSearch(f"Invalid value for since or until: {error}.") from error

    def span(self, tail: int) -> LogRange:
        return LogRange(tail, self.since, self.until)


AskedOfLogs = Annotated[Asked, Depends()]


@router.get("", response_model=LogLinesView)
async def logs(
    app: App,
    orchestrator: Serving,
    who: Reader,
    request: Request,
    asked: AskedOfLogs,
    tail: LogLines = LOG_LINES,
    entries: bool = False,
    follow: bool = False,
) -> LogLinesView | StreamingResponse:
    """The last lines of a log, or of several ones in the order of their moments. With `follow`, a stream of them and of
    each line that is written from then on."""
    if follow:
        return await _followed(app, orchestrator, who, request, asked, tail)
    origins = await _origins(orchestrator, app, asked)
    of = chosen(app, origins, asked.container)
    found = await _logs(orchestrator, request, who).read(of, asked.wanted, asked.span(tail))
    containers = {one.name for one in of}
    return LogLinesView(
        container=of[0].name if len(containers) == 1 else "",
        lines=[] if entries else [said.line.text for said in found.said],
        entries=[Entry(text=said.line.text, **_about(said)) for said in found.said] if entries else [],
        left_out=[*([origins.problem] if origins.problem else []), *found.left_out],
    )


@router.get("/containers")
async def containers(app: App, orchestrator: Serving, _who: Reader) -> LogList:
    """The logs that the app has, the newest deployment first. Also of an app that is not configured any more."""
    name = (await orchestrator.apps.known(app)).name
    found = await origins_of(name, orchestrator.engine, orchestrator.journal, orchestrator.kept_logs)
    return LogList(logs=[_view(one) for one in found.found], problem=found.problem)


@router.get("/follow", deprecated=True)
async def follow(
    app: App,
    orchestrator: Serving,
    who: Reader,
    request: Request,
    asked: AskedOfLogs,
    tail: Annotated[int, Query(ge=0, le=10_000)] = FOLLOWED_LINES,
) -> StreamingResponse:
    """As `logs` with `follow`, under the name that earlier versions know; `tail` may be 0."""
    return await _followed(app, orchestrator, who, request, asked, tail)


async def _followed(
    app: str, orchestrator: Orchestrator, who: Caller, request: Request, asked: Asked, tail: int
) -> StreamingResponse:
    if asked.until:
        raise InvalidSearch("Invalid value for until: a log that is followed has no end.", "Leave until or follow out.")
    orchestrator.gate.refuse_too_many(who)
    chosen(app, await _origins(orchestrator, app, asked), asked.container)
    reading, news = _logs(orchestrator, request, who), request.app.state.log_news
    return StreamingResponse(_stream(orchestrator, who, app, asked, reading, tail, news), media_type=MEDIA_TYPE)


async def _stream(
    orchestrator: Orchestrator, who: Caller, app: str, asked: Asked, reading: Logs, tail: int, all_news: LogNews
) -> AsyncIterator[str]:
    """Each item is the lines that there are at once."""
    arrived: asyncio.Queue[list[Said | str] | None] = asyncio.Queue(1)
    now_of = partial(_origins, orchestrator, app, asked)

    async def read() -> ChangeoverError | None:
        problem = None
        with all_news.of(app) as news:
            following = Following(app, asked.container, asked.wanted, reading, now_of, orchestrator.events.follow, news)
            try:
                async with aclosing(following.lines(asked.span(tail))) as lines:
                    async for batch in lines:
                        await arrived.put(batch)
            except ChangeoverError as error:
                problem = error
        await arrived.put(None)
        return problem

    task = asyncio.create_task(read())
    try:
        async with aclosing(while_allowed(orchestrator.gate, who, _each(arrived))) as allowed:
            async for batch in allowed:
                if batch is None:
                    yield as_line({})
                elif batch:
                    yield "".join(shown(orchestrator.known_secrets, _value(one)) for one in batch)
        problem = task.result() if task.done() else _FOLLOWED_NO_MORE
        if problem:
            yield shown(orchestrator.known_secrets, problem_value(problem))
    finally:
        task.cancel()


async def _each(batches: asyncio.Queue[list[Said | str] | None]) -> AsyncIterator[list[Said | str]]:
    """Each one until None comes."""
    while (batch := await batches.get()) is not None:
        yield batch


async def _origins(orchestrator: Orchestrator, app: str, asked: Asked) -> Origins:
    """Raises UnknownApp; and Refused for the active container of an app of which no release is live."""
    if asked.container == ACTIVE:
        orchestrator.apps.get(app).live_release()
    name = (await orchestrator.apps.known(app)).name
    return await origins_of(name, orchestrator.engine, orchestrator.journal, orchestrator.kept_logs)


def _logs(orchestrator: Orchestrator, request: Request, who: Caller) -> Logs:
    turns: FairTurns = request.app.state.logs
    return Logs(orchestrator.engine, orchestrator.journal, orchestrator.kept_logs, partial(turns.turn_of, who.name))


def _value(one: Said | str) -> dict[str, Any]:  # Any: JSON
    if isinstance(one, str):
        return {"line": f"[{one}]", "note": True}
    return {"line": one.line.text, **_about(one)}


def _about(said: Said) -> dict[str, str]:
    line, origin = said.line, said.origin
    return {
        "at": line.at,
        "container": origin.name,
        "deployment": origin.deployment,
        "stream": "stderr" if line.is_error else "stdout",
        "level": line.level or "",
    }


def _view(one: Origin) -> LogView:
    return LogView(
        container=one.name,
        place=one.place,
        deployment=one.deployment,
        colour=one.colour,
        version=one.version,
        running=one.running,
        removed_at=moment_of(one.removed_at) if one.removed_at else None,
        left_out=one.left_out,
    )

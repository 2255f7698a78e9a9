"""/v1/events: the event stream, for the panel, the command and CI."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from orchestrator.api.access import Reader, Serving
from orchestrator.domain.events import Event
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/events")

KEEP_ALIVE_S = 15.0


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


@router.get("")
async def events(
    orchestrator: Serving,
    _who: Reader,
    after: int | None = None,
    recent: Annotated[int, Query(ge=0, le=1000)] = 0,
    deployment: str = "",
    last_event_id: Annotated[int | None, Header()] = None,
) -> StreamingResponse:
    """Server-sent events (HTML standard, section 9.2) with ids above `after`; without it, those from now on.

    `recent` starts that many events earlier.
    """
    start = after if after is not None else last_event_id
    start = max(0, orchestrator.journal.last_event_id() - recent) if start is None else start
    return StreamingResponse(_stream(orchestrator, start, deployment), media_type="text/event-stream")


async def _stream(orchestrator: Orchestrator, after: int, deployment: str) -> AsyncIterator[str]:
    """The text of the stream, with a comment every KEEP_ALIVE_S seconds, so that the connection is never idle."""
    yield ": changeover\n\n"
    following = orchestrator.events.follow(after, deployment)
    upcoming = asyncio.ensure_future(anext(following))
    try:
        while True:
            done, _ = await asyncio.wait([upcoming], timeout=KEEP_ALIVE_S)
            if not done:
                yield ": still here\n\n"
                continue
            event = upcoming.result()
            upcoming = asyncio.ensure_future(anext(following))
            yield f"id: {event.id}\nevent: {event.kind}\ndata: {event_view(event).model_dump_json()}\n\n"
    finally:
        upcoming.cancel()

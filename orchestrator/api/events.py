"""/v1/events: the event stream, for the panel, the command and CI."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel

from border.plain import one_line
from orchestrator.access.caller import Caller
from orchestrator.api.access import ReaderOfSome, Serving
from orchestrator.api.values import MOST_ID, OptionalAfter, OptionalDeployment
from orchestrator.api.while_allowed import while_allowed
from orchestrator.domain.events import Event
from orchestrator.errors import JournalError, UnknownDeployment
from orchestrator.server import Orchestrator

router = APIRouter(prefix="/events")


class EventStreamResponse(StreamingResponse):
    media_type = "text/event-stream"


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


@router.get("", response_class=EventStreamResponse)
async def events(
    orchestrator: Serving,
    who: ReaderOfSome,
    after: OptionalAfter = None,
    recent: Annotated[int, Query(ge=0, le=1000)] = 0,
    deployment: OptionalDeployment = "",
    last_event_id: Annotated[int | None, Header(ge=0, le=MOST_ID)] = None,
) -> StreamingResponse:
    """Server-sent events (HTML standard, section 9.2) with ids above `after`; without it, those from now on.

    `recent` starts that many events earlier. A token for some apps gets the events of these only. The stream ends when
    the token expires or is revoked, or the session of the panel ends.
    """
    orchestrator.gate.refuse_too_many(who)
    if deployment:
        # One that does not exist would never have an event.
        found = await orchestrator.journal.beside(orchestrator.journal.deployment, deployment)
        if who.apps is not None:
            who.require_app(found.app)
    start = after if after is not None else last_event_id
    if start is None:
        start = max(0, await orchestrator.journal.beside(orchestrator.journal.last_event_id) - recent)
    return EventStreamResponse(stream(orchestrator, who, start, deployment))


async def stream(orchestrator: Orchestrator, who: Caller, after: int, deployment: str) -> AsyncIterator[str]:
    """The text of the stream, with a comment when there is no event for some time."""
    known_secrets = orchestrator.known_secrets
    yield ": changeover\n\n"
    following = orchestrator.events.follow(after, deployment)
    try:
        async with aclosing(while_allowed(orchestrator.gate, who, following)) as allowed:
            async for event in allowed:
                if event is None:
                    yield ": still here\n\n"
                elif await _sees(orchestrator, who, event):
                    shown = json.dumps(known_secrets.values(event_view(event).model_dump(mode="json")))
                    yield f"id: {event.id}\nevent: {one_line(event.kind)}\ndata: {shown}\n\n"
    except JournalError:
        return  # the client connects again, and goes on after its last event


async def _sees(orchestrator: Orchestrator, who: Caller, event: Event) -> bool:
    """Whether the caller may see an event. One without an app, of the orchestrator, is for tokens for all apps.

    Raises JournalError.
    """
    if who.apps is None:
        return True
    app, journal = event.app, orchestrator.journal
    if not app and event.deployment:
        try:
            app = (await journal.beside(journal.deployment, event.deployment)).app
        except UnknownDeployment:
            return False
    return who.sees(app)

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
from orchestrator.clock import now
from orchestrator.domain.events import Event
from orchestrator.domain.sample_event import Sampled
from orchestrator.errors import JournalError, UnknownDeployment
from orchestrator.host.merged import merged
from orchestrator.server import Orchestrator
from orchestrator.traffic.feed import Sample

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
    samples: bool = False,
    last_event_id: Annotated[int | None, Header(ge=0, le=MOST_ID)] = None,
) -> StreamingResponse:
    """Server-sent events (HTML standard, section 9.2) with ids above `after`; without it, those from now on.

    `recent` starts that many events earlier. With `samples` the stream has, once a second, the numbers of the apps of
    which they have changed: events of kind `sample` without an id, which nobody gets again. A token for some apps gets
    the events of these only. The stream ends when the token expires or is revoked, or the session of the panel ends.
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
    return EventStreamResponse(stream(orchestrator, who, start, deployment, samples=samples))


async def stream(
    orchestrator: Orchestrator, who: Caller, after: int, deployment: str, *, samples: bool = False
) -> AsyncIterator[str]:
    """The text of the stream, with a comment when there is no event for some time."""
    yield ": changeover\n\n"
    following: AsyncIterator[Event | Sample] = orchestrator.events.follow(after, deployment)
    if samples:
        following = merged(following, orchestrator.traffic.feed.follow())
    has_samples = False
    try:
        async with aclosing(while_allowed(orchestrator.gate, who, following)) as allowed:
            async for event in allowed:
                if event is None:
                    yield ": still here\n\n"
                elif isinstance(event, Sample):
                    seen, is_first = event.of(who.sees), not has_samples
                    has_samples = True
                    if is_first or not seen.is_empty:
                        yield _sample_text(seen)
                elif await _sees(orchestrator, who, event):
                    shown = json.dumps(orchestrator.known_secrets.values(event_view(event).model_dump(mode="json")))
                    yield f"id: {event.id}\nevent: {one_line(event.kind)}\ndata: {shown}\n\n"
    except JournalError:
        return  # the client connects again, and goes on after its last event


def _sample_text(sample: Sample) -> str:
    """Without an id, so that a client goes on after its last event. It has nothing but numbers and names of apps."""
    happened = Sampled(sample.apps, sample.ticks)
    view = EventView(id=0, at=now(), kind=happened.kind, app="", deployment="", fields=happened.as_json())
    return f"event: {happened.kind}\ndata: {json.dumps(view.model_dump(mode='json'), separators=(',', ':'))}\n\n"


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

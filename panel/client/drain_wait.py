"""Waiting for a deployment and for the drain after it: by its events, or without a stream by asking for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from panel.client.client import Client
from panel.client.errors import Failed, Refused, Unreachable
from panel.client.events import DECIDED, DRAINED, WENT_WELL, Draining, Event
from panel.client.model import Deployment, DeploymentState

NO_STREAM = (Refused, Failed, Unreachable)
"""The errors of a stream that cannot be opened or opened again now. The deployment goes on, and can be asked for."""
ASKED_EVERY_S = 1.0
SILENT_S = 5.5
"""A drain that takes longer than a second says so every five."""


async def until_drained(client: Client, deployment: str) -> AsyncGenerator[Event, None]:
    """The events of a deployment from its beginning until it is not live, or it is known what its drain has cut.

    A live deployment that says nothing of a drain is not waited for: nothing is open, or its orchestrator is older.
    """
    live, patience_s = False, None
    async with aclosing(client.events(0, deployment)) as stream:
        while True:
            try:
                async with asyncio.timeout(patience_s):
                    event = await anext(stream)
            except TimeoutError:
                return
            yield event
            live = live or event.kind in WENT_WELL
            if event.kind in (DRAINED if live else DECIDED):
                return
            if live:
                what = event.what
                patience_s = SILENT_S + (what.limit - what.waited if isinstance(what, Draining) else 0)


async def each_change(client: Client, deployment: str, *, drained: bool = True) -> AsyncGenerator[Deployment, None]:
    """A deployment as it is now, then whenever it has changed, until it is decided, and `drained` if it is live.

    For whoever cannot have a stream of events: the token, or all tokens together, may have no further one. As with a
    stream, an orchestrator that does not answer is asked again, without end. Raises NotSignedIn, NotFound and Invalid.
    """
    before = None
    while True:
        with suppress(*NO_STREAM):
            now = await client.deployment(deployment)
            if now != before:
                yield now
            before = now
            if now.decided and not (drained and now.state == DeploymentState.LIVE and now.ended_at is None):
                return
        await asyncio.sleep(ASKED_EVERY_S)

"""Waiting for a deployment and for the drain after it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from panel.client.client import Client
from panel.client.events import DECIDED, DRAINED, WENT_WELL, Draining, Event

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

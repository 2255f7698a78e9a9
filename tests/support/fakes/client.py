"""The panel's client of an API that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

from panel.client.client import Client
from panel.client.events import Event
from panel.client.traffic_model import AppTraffic, Traffic


class OneStream(Client):
    """A stream of events that a test gives, for whoever asks; no app has numbers."""

    async def events_and_samples(self, after: int | None = None, recent: int = 0) -> AsyncGenerator[Event, None]:
        async with aclosing(self.events(after, recent=recent)) as events:
            async for event in events:
                yield event

    async def traffic(self, seconds: int = 60) -> Traffic:
        return Traffic()

    async def app_traffic(self, app: str, since: int | datetime = 600) -> AppTraffic:
        return AppTraffic(app=app, step=1)


class WithoutEvents(OneStream):
    """Nothing ever happens. What else the panel asks for, a test answers."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", "co_secret")

    async def events(
        self, after: int | None = None, deployment: str = "", recent: int = 0
    ) -> AsyncGenerator[Event, None]:
        await asyncio.Event().wait()
        yield  # type: ignore[misc]

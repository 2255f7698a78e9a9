"""The panel's client of an API that is not there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from panel.client.client import Client
from panel.client.events import Event


class WithoutEvents(Client):
    """Nothing ever happens. What else the panel asks for, a test answers."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", "co_secret")

    async def events(
        self, after: int | None = None, deployment: str = "", recent: int = 0
    ) -> AsyncGenerator[Event, None]:
        await asyncio.Event().wait()
        yield  # type: ignore[misc]

"""Whether the panel is ready, asked few times however many want to know: everybody who reaches it can ask."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

KEPT_S = 0.25
"""How long it is ready without being asked again. What it lacks is looked at each time: a deployment waits for it."""


class Readiness:
    """`ask` gives why the panel is not ready, empty when it is. One question is asked at a time, for all who want to
    know meanwhile: each is one of the database and of the orchestrator. Used on the event loop only.
    """

    def __init__(self, ask: Callable[[], Awaitable[str]], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask = ask
        self._clock = clock
        self._asking: asyncio.Task[str] | None = None
        self._ready_until = clock()

    async def problem(self) -> str:
        """Why the panel is not ready for traffic; empty when it is."""
        if self._clock() < self._ready_until:
            return ""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._asked())
        # Whoever goes away does not end it for the others.
        return await asyncio.shield(self._asking)

    async def _asked(self) -> str:
        problem = await self._ask()
        if not problem:
            self._ready_until = self._clock() + KEPT_S
        return problem

"""The prewarmed process: a panel process that has painted its first screen and waits for a session."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable

from panel.web.process import AppFailed, AppProcess

COLUMNS, ROWS = 120, 40
MOST_STARTS = max(2, os.cpu_count() or 1)
"""Processes that start at the same time. More of them would only start later."""
AGAIN_AFTER_S = 5.0
"""After a start that failed, in seconds: the panel is not ready without a process."""


class PrewarmedProcess:
    """Keeps one process prewarmed. The panel is ready for traffic after the first one has painted.

    It must be used from one event loop. Whoever takes the process owns it; however many take one at once, there is
    never more than one that nobody owns. A `take` that is cancelled gives its process back. `end` also cancels the
    start of a process, which ends it.
    """

    def __init__(self, start: Callable[[int, int], Awaitable[AppProcess]]) -> None:
        self._start_process = start
        self._next: asyncio.Task[AppProcess] | None = None
        self._surplus: set[asyncio.Task[None]] = set()
        self._may_start = asyncio.Semaphore(MOST_STARTS)
        self._is_over = False
        self.problem = "the first screen is not painted yet"
        """Why there is no prewarmed process; empty when one has painted."""

    async def ready(self) -> None:
        """Wait until a process has painted. Raises AppFailed."""
        await asyncio.shield(self._begun())

    async def take(self) -> AppProcess:
        """Take the prewarmed process; another one is started. Raises AppFailed."""
        if self._next and self._next.done() and not _is_usable(self._next):
            self._next = None
        mine, self._next = self._begun(), None
        try:
            return await asyncio.shield(mine)
        except asyncio.CancelledError:
            self._give_back(mine)
            raise
        finally:
            if self._next is None and not self._is_over:
                self._begun()

    async def end(self) -> None:
        """End the process, or its start. No other one is started."""
        self._is_over = True
        following, self._next = self._next, None
        if following:
            await _ended(following)
        await asyncio.gather(*self._surplus)

    def _give_back(self, process: asyncio.Task[AppProcess]) -> None:
        if self._next is None and not self._is_over and not process.cancelled():
            self._next = process
            return
        ending = asyncio.create_task(_ended(process))
        self._surplus.add(ending)
        ending.add_done_callback(self._surplus.discard)

    def _begun(self) -> asyncio.Task[AppProcess]:
        if self._is_over:
            raise AppFailed("the panel is stopping")
        if self._next is None:
            self._next = asyncio.create_task(self._start())
        return self._next

    async def _start(self) -> AppProcess:
        try:
            async with self._may_start:
                app = await self._start_process(COLUMNS, ROWS)
        except (AppFailed, OSError) as error:
            self.problem = str(error)
            asyncio.get_running_loop().call_later(AGAIN_AFTER_S, self._start_again)
            raise AppFailed(self.problem) from error
        self.problem = ""
        return app

    def _start_again(self) -> None:
        """Not only when somebody opens a page: until then, the panel would not be ready."""
        if self._next and self._next.done() and not _is_usable(self._next):
            self._next = None
        if self._next is None and not self._is_over:
            self._begun()


def _is_usable(process: asyncio.Task[AppProcess]) -> bool:
    """Whether a process that has started runs still."""
    return not process.cancelled() and process.exception() is None and not process.result().has_ended


async def _ended(process: asyncio.Task[AppProcess]) -> None:
    """End a process, or its start."""
    process.cancel()
    await asyncio.wait([process])
    if not process.cancelled() and process.exception() is None:
        await process.result().end()

"""A uvicorn server that sleeps while nobody asks it anything."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

import uvicorn

NOT_STARTED = 3
"""The exit code of `uvicorn.run` for it."""

TICK_S = 1.0
"""How often the `Date` of the answers is renewed, which is written in whole seconds."""


class QuietServer(uvicorn.Server):
    """Is woken when it should end. uvicorn's own looks ten times a second whether it should."""

    def __init__(self, config: uvicorn.Config) -> None:
        self._ending = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        super().__init__(config)

    @property
    def should_exit(self) -> bool:
        return self._should_exit

    @should_exit.setter
    def should_exit(self, value: bool) -> None:
        """Set by uvicorn's handler of signals, too, while the loop sleeps."""
        self._should_exit = value
        if value and self._loop is not None:
            self._loop.call_soon_threadsafe(self._ending.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            while not await self.on_tick(0):
                with suppress(TimeoutError):
                    async with asyncio.timeout(TICK_S):
                        await self._ending.wait()
        finally:
            self._loop = None


def run(config: uvicorn.Config) -> None:
    """As `uvicorn.run`: until a signal ends the process; it exits with NOT_STARTED if the server cannot start."""
    server = QuietServer(config)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(NOT_STARTED)

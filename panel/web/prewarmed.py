"""The prewarmed process: a panel process that has painted its first screen and waits for a session."""

from __future__ import annotations

import asyncio

from panel.web.process import AppFailed, AppProcess

COLUMNS, ROWS = 120, 40


class PrewarmedProcess:
    """Keeps one process prewarmed. The panel is ready for traffic after the first one has painted.

    It must be used from one event loop. `end` also cancels the start of a process.
    """

    def __init__(self) -> None:
        self._starting: asyncio.Task[AppProcess] | None = None
        self.problem = "the first screen is not painted yet"
        """Why there is no prewarmed process; empty when one has painted."""

    def prepare(self) -> None:
        """Start a process in the background."""
        self._starting = asyncio.create_task(self._start())

    async def ready(self) -> None:
        """Wait until a process has painted. Raises AppFailed."""
        await asyncio.shield(self._begun())

    async def take(self) -> AppProcess:
        """Take the prewarmed process; another one is started. Raises AppFailed."""
        starting, self._starting = self._begun(), None
        try:
            return await starting
        finally:
            self.prepare()

    async def end(self) -> None:
        """End the process, or its start."""
        starting = self._starting
        if starting is None:
            return
        if starting.done() and not starting.cancelled() and starting.exception() is None:
            await starting.result().end()
        starting.cancel()

    def _begun(self) -> asyncio.Task[AppProcess]:
        if self._starting is None:
            self.prepare()
        assert self._starting is not None
        return self._starting

    async def _start(self) -> AppProcess:
        try:
            app = await AppProcess.start(COLUMNS, ROWS)
        except AppFailed as error:
            self.problem = str(error)
            raise
        self.problem = ""
        return app

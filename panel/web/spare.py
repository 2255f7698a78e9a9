"""An app process that has painted and waits: the next session need not wait for one to start."""

from __future__ import annotations

import asyncio

from panel.web.process import AppFailed, AppProcess

COLUMNS, ROWS = 120, 40


class Spare:
    """Keeps one process ready. That one could be started at all is what makes the panel ready for traffic."""

    def __init__(self) -> None:
        self._coming: asyncio.Task[AppProcess] | None = None
        self.problem = "the first screen is not painted yet"

    def prepare(self) -> None:
        self._coming = asyncio.create_task(self._start())

    async def ready(self) -> None:
        """Wait until there is one. Raises AppFailed."""
        if self._coming is None:
            self.prepare()
        assert self._coming is not None
        await asyncio.shield(self._coming)

    async def take(self) -> AppProcess:
        """The spare one, and another is started in its place. Raises AppFailed."""
        if self._coming is None:
            self.prepare()
        assert self._coming is not None
        coming, self._coming = self._coming, None
        try:
            return await coming
        finally:
            self.prepare()

    async def end(self) -> None:
        if self._coming is None:
            return
        if self._coming.done() and not self._coming.cancelled() and self._coming.exception() is None:
            await self._coming.result().end()
        self._coming.cancel()

    async def _start(self) -> AppProcess:
        try:
            app = await AppProcess.start(COLUMNS, ROWS)
        except AppFailed as error:
            self.problem = str(error)
            raise
        self.problem = ""
        return app

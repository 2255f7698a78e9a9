"""The end of a worker of HAProxy that answers nothing: by SIGKILL, within the proxy's container (end_workers.sh)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from orchestrator.domain.events import Occurrence, ProxyWorkerEnded
from orchestrator.errors import JournalError, ProxyError
from orchestrator.proxy.retry import retrying

log = structlog.get_logger()

FIFO = "end-worker"
REPORT = "ended-worker"

ENDS_WITHIN_S = 5.0

Tell = Callable[[Occurrence], Awaitable[None]]


class WorkerEnd:
    """Ends workers from before a reload, one at a time. `tell` publishes what was ended."""

    def __init__(self, folder: Path, tell: Tell | None = None) -> None:
        self._folder = folder
        self._tell = tell
        self._turn = asyncio.Lock()

    async def end(self, pid: int, has_ended: Callable[[], Awaitable[bool]]) -> None:
        """End this process of the proxy's container, and tell how many connections of clients ended with it.

        Does nothing if it has ended meanwhile. Raises ProxyError if it cannot be ended.
        """
        async with self._turn:
            if await has_ended():
                return
            self._ask_for(pid)
            async for attempt in retrying(ENDS_WITHIN_S):
                with attempt:
                    if not await has_ended():
                        raise _not_ended(pid, f"it is still there {ENDS_WITHIN_S:g} s after SIGKILL was asked for")
            await self._say(pid)

    def _ask_for(self, pid: int) -> None:
        try:
            descriptor = os.open(self._folder / FIFO, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        except OSError as error:
            raise _not_ended(pid, f"nobody listens at {FIFO} ({error.strerror})") from error
        try:
            os.write(descriptor, f"{pid}\n".encode())
        finally:
            os.close(descriptor)

    async def _say(self, pid: int) -> None:
        count = self._connections_of(pid)
        with_it = "its connections" if count is None else f"{count} connection{'' if count == 1 else 's'} of clients"
        cause = f"A worker of the proxy from before a reload answered nothing. It was ended, and with it {with_it}."
        log.error("worker of the proxy ended", pid=pid, connections=count)
        if self._tell:
            try:
                await self._tell(ProxyWorkerEnded(cause))
            except JournalError as error:
                log.warning("event not recorded", cause=error.cause)

    def _connections_of(self, pid: int) -> int | None:
        """None if the report is not about this process."""
        try:
            with (self._folder / REPORT).open(encoding="utf-8", errors="replace") as report:
                reported, _, count = report.read(100).strip().partition(" ")
        except OSError:
            return None
        return int(count) if reported == str(pid) and count.isdigit() else None


def _not_ended(pid: int, why: str) -> ProxyError:
    return ProxyError(
        f"The proxy's worker {pid} from before a reload answers nothing, and cannot be ended: {why}.",
        "Restart the proxy, which ends all connections: docker compose restart proxy",
    )

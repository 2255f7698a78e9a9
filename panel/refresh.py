"""The request for what the panel shows, which is repeated: one at a time, and how old its last answer is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime

from panel.client.errors import ClientError
from panel.client.events import EventKind
from panel.clock import Clock
from panel.text.moments import OWN, Times

CHANGES_APPS = frozenset(
    {
        EventKind.QUEUED,
        EventKind.STARTED,
        EventKind.STEP,
        EventKind.LIVE,
        EventKind.ENDED,
        EventKind.FAILED,
        EventKind.CANCELLED,
        EventKind.UNCHANGED,
        EventKind.HEALTH,
        EventKind.UPDATE,
        EventKind.DISMISSED,
        EventKind.SKIPPED,
        EventKind.CONFIG_LOADED,
        EventKind.MUTED,
        EventKind.UNMUTED,
    }
)
"""The kinds of events after which the apps are requested again."""


class Refresh:
    """One request is under way at a time, however often `again` is called and however long the answer takes. Of the
    calls meanwhile one waits, and asks after it: what it answers is newer than each of them.

    A cancelled call lets the next one ask. `stale_s`: an answer is stale when so many seconds have gone since it came.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[None]],
        clock: Clock,
        stale_s: float,
        monotonic: Callable[[], float] = time.monotonic,
        times: Callable[[], Times] = lambda: OWN,
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._stale_s = stale_s
        self._monotonic = monotonic
        self._times = times
        self._turn = asyncio.Lock()
        self._one_waits = False
        self._since_s = monotonic()
        self._as_of: datetime | None = None
        self._error: ClientError | None = None

    async def again(self) -> None:
        """Ask, unless another call waits to do so. Raises the ClientError of the request."""
        if self._one_waits:
            return
        self._one_waits = True
        try:
            await self._turn.acquire()
        finally:
            self._one_waits = False
        try:
            await self._ask()
        except ClientError as error:
            self._error = error
            raise
        else:
            self._error, self._as_of, self._since_s = None, self._clock(), self._monotonic()
        finally:
            self._turn.release()

    @property
    def stale(self) -> str:
        """A sentence if what is shown may not be so any more: why, and of what time it is. Empty if it is new."""
        waited_s = self._monotonic() - self._since_s
        if self._error is None and waited_s < self._stale_s:
            return ""
        why = str(self._error or f"The orchestrator has not answered for {waited_s:.0f} s.")
        shown = "Nothing is known yet."
        if self._as_of:
            shown = f"What is shown is as of {self._times().to_second(self._as_of)}."
        return f"{why} {shown}"

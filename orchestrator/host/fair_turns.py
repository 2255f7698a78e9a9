"""Turns for work that takes long: few at a time, and not all of them for one of those who ask."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class FairTurns:
    """At most `most` turns at a time, `most_of_one` of them for one app, token, or whatever else asks.

    Used on the event loop; a cancel while one waits gives up the place.
    """

    def __init__(self, most: int, most_of_one: int) -> None:
        self._all = asyncio.Semaphore(most)
        self._most_of_one = most_of_one
        self._of_one: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """For as long as somebody has or awaits a turn: a request can name anything."""

    @asynccontextmanager
    async def turn_of(self, one: str) -> AsyncIterator[None]:
        of_one = self._of_one.setdefault(one, asyncio.Semaphore(self._most_of_one))
        # Its own turn first: who waits for that keeps no place of all.
        async with of_one, self._all:
            yield

"""Sidecars that requests start which only read: few at a time, and of one app not all of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

MOST_SIDECARS_OF_READERS = 4
MOST_OF_APP = 2
"""A backup of an app may take minutes to read, and its status command `migrate.timeout`: others are asked meanwhile."""


class SidecarsOfReaders:
    """Turns for these sidecars. Used on the event loop; a cancel while one waits gives up the place."""

    def __init__(self, most: int = MOST_SIDECARS_OF_READERS, most_of_app: int = MOST_OF_APP) -> None:
        self._all = asyncio.Semaphore(most)
        self._most_of_app = most_of_app
        self._of_app: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        """For as long as somebody has or awaits a turn: a request can name any app."""

    @asynccontextmanager
    async def turn_of(self, app: str) -> AsyncIterator[None]:
        """While this is held, one sidecar of the app may run."""
        # The app's turn first: who waits for it keeps no place of all apps.
        of_app = self._of_app.setdefault(app, asyncio.Semaphore(self._most_of_app))
        async with of_app, self._all:
            yield

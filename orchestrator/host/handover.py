"""Values on their way from a thread to the event loop, many at once: one by one, each would wait for the loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import suppress
from typing import Generic, TypeVar

T = TypeVar("T")


class Handover(Generic[T]):
    """Made on the event loop. A thread puts values in, and waits while `most` of them wait; the loop takes all that
    there are. After `close` the thread waits no more, and what it puts in is dropped.
    """

    def __init__(self, most: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._most = most
        self._waiting: deque[T] = deque()
        self._room = threading.Condition()
        self._news = asyncio.Event()
        self.is_closed = False

    def put(self, value: T) -> None:
        """In any thread but that of the loop."""
        with self._room:
            self._room.wait_for(lambda: self.is_closed or len(self._waiting) < self._most)
            if self.is_closed:
                return
            self._waiting.append(value)
            is_first = len(self._waiting) == 1
        if is_first:
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._news.set)

    async def take(self) -> list[T]:
        """All values that wait, at least one."""
        while not self._waiting:
            self._news.clear()
            await self._news.wait()
        with self._room:
            taken = list(self._waiting)
            self._waiting.clear()
            self._room.notify_all()
        return taken

    def close(self) -> None:
        with self._room:
            self.is_closed = True
            self._waiting.clear()
            self._room.notify_all()

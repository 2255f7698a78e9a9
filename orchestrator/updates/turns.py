"""Turns of checks: one at a time for each host in the background, and few at a time in all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from weakref import WeakValueDictionary

from orchestrator.host.fair_turns import FairTurns

AT_ONCE = 4
"""So many sources are asked at the same time by checks in the background: at a start all of them are due."""
SLOW_S = 20.0
"""After so many seconds a check in the background gives its slot to the next one: it waits for its host, and does no
work here. It keeps the turn of its host."""
ASKED_AT_ONCE, ASKED_OF_ONE_HOST = 16, 3
"""Checks that people and pushes ask for do not wait for those in the background. One push may concern many apps."""


class CheckTurns:
    """Used on the event loop. A cancel while a check waits gives up its place."""

    def __init__(self) -> None:
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._hosts: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._asked = FairTurns(ASKED_AT_ONCE, ASKED_OF_ONE_HOST)

    @asynccontextmanager
    async def in_background(self, host: str) -> AsyncIterator[None]:
        """`host` is empty for a source on this machine. The host's turn comes first: who waits for that keeps no
        slot."""
        lock = self._hosts.setdefault(host, asyncio.Lock()) if host else nullcontext()
        async with lock, self._slot():
            yield

    @asynccontextmanager
    async def asked(self, app: str, host: str) -> AsyncIterator[None]:
        async with self._asked.turn_of(host or f"{app} on this machine"):
            yield

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        await self._slots.acquire()
        is_held = True

        def give_back() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._slots.release()

        timer = asyncio.get_running_loop().call_later(SLOW_S, give_back)
        try:
            yield
        finally:
            timer.cancel()
            give_back()

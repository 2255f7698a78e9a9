"""A stream that lasts as long as its reader may read it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from orchestrator.access.caller import Caller
from orchestrator.access.gate import Gate
from orchestrator.access.rooms import STREAMS, Room
from orchestrator.clock import elapsed
from orchestrator.errors import JournalError

KEEP_ALIVE_S = 15.0
T = TypeVar("T")


async def _is_valid(gate: Gate, who: Caller, *, is_first: bool) -> bool:
    try:
        return await gate.is_valid(who)
    except JournalError:
        if is_first:
            raise
        # Nobody can revoke the token meanwhile: that is written to the journal. Work of an hour is not ended for it.
        return True


async def while_allowed(
    gate: Gate, who: Caller, following: AsyncIterator[T], room: Room = STREAMS
) -> AsyncGenerator[T | None, None]:
    """Each item of `following`; None after KEEP_ALIVE_S without one, so that the connection is never idle.

    Ends with `following`, and at once when the caller's token is revoked or expires, or its session ends, or when too
    many have begun in this `room` at the same moment. Every KEEP_ALIVE_S the journal is asked as well. Raises
    JournalError at the beginning; a journal that is away later ends nothing.
    """
    with gate.watch(who, room) as over:
        if gate.has_too_many(who, room):
            return
        upcoming = asyncio.ensure_future(anext(following))
        ended = asyncio.ensure_future(over.wait())
        checked = float("-inf")
        try:
            while True:
                if elapsed() - checked >= KEEP_ALIVE_S:
                    is_first, checked = checked < 0, elapsed()
                    if not await _is_valid(gate, who, is_first=is_first):
                        return
                done, _ = await asyncio.wait(
                    [upcoming, ended], timeout=KEEP_ALIVE_S, return_when=asyncio.FIRST_COMPLETED
                )
                if over.is_set():
                    return
                if upcoming not in done:
                    yield None
                    continue
                try:
                    item = upcoming.result()
                except StopAsyncIteration:
                    return
                upcoming = asyncio.ensure_future(anext(following))
                yield item
        finally:
            upcoming.cancel()
            ended.cancel()
            await asyncio.wait([upcoming, ended])

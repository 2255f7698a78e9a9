"""Several streams as one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def merged(*streams: AsyncIterator[T]) -> AsyncGenerator[T, None]:
    """The items of all streams as they come. Ends with the first stream that ends, or raises what that raised."""
    upcoming = {asyncio.ensure_future(anext(stream)): stream for stream in streams}
    try:
        while True:
            done, _ = await asyncio.wait(upcoming, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                stream = upcoming.pop(one)
                try:
                    item = one.result()
                except StopAsyncIteration:
                    return
                upcoming[asyncio.ensure_future(anext(stream))] = stream
                yield item
    finally:
        for one in upcoming:
            one.cancel()
        if upcoming:
            await asyncio.wait(upcoming)

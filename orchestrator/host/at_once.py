"""Several things at once, of which all must succeed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")


@overload
async def at_once(one: Awaitable[A], two: Awaitable[B], /) -> tuple[A, B]: ...
@overload
async def at_once(one: Awaitable[A], two: Awaitable[B], three: Awaitable[C], /) -> tuple[A, B, C]: ...
async def at_once(*work: Awaitable[Any]) -> tuple[Any, ...]:  # Any: the overloads say it
    """The results of all. The first error is raised, as it is, when the others have been cancelled and have ended; a
    cancel, too."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return tuple(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

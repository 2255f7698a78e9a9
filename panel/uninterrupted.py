"""Work in threads that is awaited to its end, whoever cancels meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """The result of `work`, which runs in a thread. A thread cannot be cancelled.

    A cancel that comes meanwhile is raised when the work has ended; what the work gave, or raised, is lost then.
    """
    task = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        task.exception()  # looked at, so that it is not reported as one that nobody saw
        raise asyncio.CancelledError
    return task.result()

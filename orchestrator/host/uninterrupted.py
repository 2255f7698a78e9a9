"""Waiting for something to its end, whoever cancels meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from concurrent.futures import Future
from typing import TypeVar

import structlog

log = structlog.get_logger()

T = TypeVar("T")


async def to_its_end(work: Awaitable[T]) -> T:
    """The result of `work`, which goes on when the waiting task is cancelled.

    A cancel that came meanwhile is raised when the work has ended; what the work gave, or raised, is lost then.
    """
    task = asyncio.ensure_future(work)
    cancelled = await until_ended(task)
    if cancelled and not task.cancelled():
        task.exception()  # looked at, so that it is not reported as one that nobody saw
        raise asyncio.CancelledError
    return task.result()


async def in_spite_of_cancels(work: Awaitable[T]) -> T:
    """The result of `work`; cancels that came meanwhile are dropped: what they ask for is what is being done."""
    task = asyncio.ensure_future(work)
    await until_ended(task)
    return task.result()


async def until_ended(task: asyncio.Future[T]) -> bool:
    """Wait for the end, however it ends; whether the waiting task was cancelled meanwhile.

    A cancel of the waiting task does not reach `task`, as it would with `await task`.
    """
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            cancelled = True
    return cancelled


async def unless_cancelled(call: Future[T], failed: str) -> T:
    """The result of a call in a thread. Whoever cancels does not wait for its end: an error that it has then is logged,
    with `failed` as what it means."""

    def ended(call: Future[T]) -> None:
        if not call.cancelled() and (error := call.exception()):
            log.warning(failed, cause=str(error))

    try:
        return await asyncio.wrap_future(call)
    except asyncio.CancelledError:
        call.add_done_callback(ended)
        raise

"""Retries for a journal that cannot be written or read, and for a proxy that does not answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, wait_fixed

from orchestrator.errors import ChangeoverError, JournalError

T = TypeVar("T")
RETRY_S = 1.0


async def patiently(ask: Callable[[], Awaitable[T]], *, away: tuple[type[ChangeoverError], ...] = (JournalError,)) -> T:
    """Call and await `ask` until it raises none of `away`, once a second and without limit. Returns its result."""
    async for attempt in AsyncRetrying(retry=retry_if_exception_type(away), wait=wait_fixed(RETRY_S)):
        with attempt:
            return await ask()
    raise AssertionError  # the loop has no limit

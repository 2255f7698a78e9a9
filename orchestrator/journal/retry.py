"""Retries for a journal that cannot be written or read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, wait_fixed

from orchestrator.errors import JournalError

T = TypeVar("T")
RETRY_S = 1.0


async def patiently(ask: Callable[[], Awaitable[T]]) -> T:
    """Call and await `ask` until it raises no JournalError, once a second and without limit. Returns its result."""
    async for attempt in AsyncRetrying(retry=retry_if_exception_type(JournalError), wait=wait_fixed(RETRY_S)):
        with attempt:
            return await ask()
    raise AssertionError  # the loop has no limit

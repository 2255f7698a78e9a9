"""Waiting for a journal that cannot be written or read: an end that nobody recorded is none."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import AsyncRetrying, retry_if_exception_type, wait_fixed

from orchestrator.errors import JournalError

T = TypeVar("T")
RETRY_S = 1.0


async def patiently(ask: Callable[[], T]) -> T:
    """Ask the journal until it answers, however long its disk is full or its server is away."""
    async for attempt in AsyncRetrying(retry=retry_if_exception_type(JournalError), wait=wait_fixed(RETRY_S)):
        with attempt:
            return ask()
    raise AssertionError  # what has no limit does not end

"""The time limit of a check, however many answers it needs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from orchestrator.errors import StepFailed, of_the_system

T = TypeVar("T")


async def checked_within(seconds: float, app: str, check: Awaitable[T]) -> T:
    """What the check of an app gives. Raises StepFailed after so many seconds, and for what the system refuses, such as
    a full disk; its own TimeoutError is passed on."""
    try:
        async with asyncio.timeout(seconds) as limit:
            return await check
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise StepFailed(
            f"The check of {app} did not end within {seconds:g} s.", "Check how fast this host reaches the source."
        ) from error
    except OSError as error:
        if refused := of_the_system(error):
            raise StepFailed(refused.cause, refused.remedy) from error
        raise

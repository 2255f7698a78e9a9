"""Who cancels a call in a thread does not wait for it, and its error is seen all the same."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog.testing

from orchestrator.errors import EngineError
from orchestrator.host.uninterrupted import unless_cancelled


@pytest.mark.parametrize("fails", [False, True])
def test_the_error_of_a_call_that_nobody_waits_for_any_more_is_logged(fails: bool) -> None:
    goes_on = threading.Event()

    def work() -> None:
        goes_on.wait(10)
        if fails:
            raise EngineError("Docker Engine does not answer.", "Start it.")

    async def cancelled(pool: ThreadPoolExecutor) -> None:
        waiting = asyncio.create_task(unless_cancelled(pool.submit(work), "cache not reduced"))
        await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(waiting, 5)
        assert not goes_on.is_set()
        goes_on.set()

    with structlog.testing.capture_logs() as logged, ThreadPoolExecutor(1) as pool:
        asyncio.run(cancelled(pool))

    told = [(one["event"], one["cause"]) for one in logged]
    assert told == ([("cache not reduced", "Docker Engine does not answer. Start it.")] if fails else [])


def test_the_error_of_a_call_is_raised_where_somebody_waits() -> None:
    def work() -> None:
        raise EngineError("Docker Engine does not answer.", "Start it.")

    async def waited(pool: ThreadPoolExecutor) -> None:
        await unless_cancelled(pool.submit(work), "cache not reduced")

    with structlog.testing.capture_logs() as logged, ThreadPoolExecutor(1) as pool, pytest.raises(EngineError):
        asyncio.run(waited(pool))
    assert logged == []

"""A thread is awaited to its end."""

from __future__ import annotations

import asyncio
import threading

import pytest

from panel.uninterrupted import in_thread


async def test_a_cancel_waits_for_the_thread_and_is_raised_then() -> None:
    began, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        may_end.wait(10)
        ended.set()

    task = asyncio.create_task(in_thread(work))
    await asyncio.to_thread(began.wait, 10)
    for _ in range(3):
        task.cancel()
        await asyncio.sleep(0)
    waits = not task.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert waits
    assert ended.is_set()


async def test_a_result_and_an_error_come_back() -> None:
    assert await in_thread(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await in_thread(divmod, 7, 0)

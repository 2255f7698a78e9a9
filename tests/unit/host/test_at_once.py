"""Several things at once end together, however one of them ends."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.errors import StepFailed
from orchestrator.host.at_once import at_once


class Work:
    """Waits until it may end; takes a moment to end when it is cancelled, as a process does."""

    def __init__(self) -> None:
        self.may_end, self.has_ended = asyncio.Event(), False

    async def __call__(self) -> str:
        try:
            await self.may_end.wait()
            return "done"
        finally:
            await asyncio.sleep(0.01)
            self.has_ended = True


async def _fails() -> int:
    await asyncio.sleep(0)
    raise StepFailed("no such commit")


def test_all_run_at_the_same_time_and_give_their_results_in_order() -> None:
    async def story() -> None:
        first, second = Work(), Work()

        async def lets_end() -> int:
            first.may_end.set()
            second.may_end.set()
            return 3

        assert await at_once(first(), second(), lets_end()) == ("done", "done", 3)

    asyncio.run(story())


def test_the_first_error_is_raised_as_it_is_when_the_others_have_ended() -> None:
    async def story() -> None:
        other = Work()
        with pytest.raises(StepFailed, match="no such commit"):
            await at_once(other(), _fails())
        assert other.has_ended

    asyncio.run(story())


def test_a_cancel_ends_all() -> None:
    async def story() -> None:
        first, second = Work(), Work()
        task = asyncio.ensure_future(at_once(first(), second()))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (first.has_ended, second.has_ended) == (True, True)

    asyncio.run(story())

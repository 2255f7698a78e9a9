"""Background tasks that end with an error are started again, and it is seen that they did."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from orchestrator.host.uninterrupted import in_spite_of_cancels
from orchestrator.supervision import LONGEST_PAUSE_S, Supervisor
from tests.support import virtual_time


def test_a_task_that_fails_is_started_again_with_growing_pauses_and_its_error_is_shown() -> None:
    began: list[float] = []

    async def fail() -> None:
        began.append(asyncio.get_running_loop().time())
        raise OverflowError("a date in the year 10000")

    async def story() -> tuple[str, int]:
        supervisor = Supervisor()
        supervisor.keep("checks", fail)
        await asyncio.sleep(600)
        problem = supervisor.problems["checks"]
        await supervisor.stop()
        return problem.cause, problem.times

    cause, times = virtual_time.run(story())
    pauses = [round(later - earlier, 1) for earlier, later in itertools.pairwise(began)]
    assert cause == "a date in the year 10000"
    assert times == len(began)
    # To write the error to the log takes time of its own.
    assert pauses[:4] == pytest.approx([0.5, 1.0, 2.0, 4.0], abs=0.45)
    assert max(pauses) == pytest.approx(LONGEST_PAUSE_S, abs=0.45)


def test_a_task_that_works_again_has_no_problem_any_more() -> None:
    tries = iter([ValueError("once"), None])

    async def work() -> None:
        if error := next(tries):
            raise error

    async def story() -> dict[str, object]:
        supervisor = Supervisor()
        supervisor.keep("work", work)
        await asyncio.sleep(5)
        return dict(supervisor.problems)

    assert virtual_time.run(story()) == {}


def test_a_cancel_of_something_that_the_work_waits_for_does_not_end_the_task_unseen() -> None:
    began = 0

    async def work() -> None:
        nonlocal began
        began += 1
        other = asyncio.create_task(asyncio.sleep(60))
        asyncio.get_running_loop().call_soon(other.cancel)
        await other

    async def story() -> str:
        supervisor = Supervisor()
        supervisor.keep("work", work)
        await asyncio.sleep(5)
        problem = supervisor.problems["work"]
        await supervisor.stop()
        return problem.cause

    assert virtual_time.run(story()) == "CancelledError"
    assert began > 1


def test_a_task_that_is_dropped_or_stopped_does_not_run_on() -> None:
    ran = 0

    async def work() -> None:
        nonlocal ran
        while True:
            ran += 1
            await asyncio.sleep(1)

    async def story() -> tuple[int, int]:
        supervisor = Supervisor()
        supervisor.keep("one", work)
        supervisor.keep("another", work)
        await asyncio.sleep(0.5)
        supervisor.drop("one")
        await asyncio.sleep(3)
        after_drop = ran
        await supervisor.stop()
        await asyncio.sleep(10)
        return after_drop, ran

    after_drop, after_stop = virtual_time.run(story())
    assert after_stop == after_drop
    assert after_drop <= 6


def test_a_stop_waits_also_for_a_task_that_was_dropped_or_replaced_a_moment_before() -> None:
    """As an update check that a changed configuration drops, whose child process takes a moment to end."""
    ending = 0

    async def work() -> None:
        nonlocal ending
        try:
            await asyncio.sleep(60)
        finally:
            ending += 1
            await in_spite_of_cancels(asyncio.sleep(1))
            ending -= 1

    async def story() -> None:
        supervisor = Supervisor()
        supervisor.keep("dropped", work)
        supervisor.keep("replaced", work)
        await asyncio.sleep(0.1)
        supervisor.drop("dropped")
        supervisor.keep("replaced", asyncio.Event().wait)  # type: ignore[arg-type]  # it never returns
        await asyncio.sleep(0.1)
        assert ending == 2
        await supervisor.stop()
        assert ending == 0

    virtual_time.run(story())


async def test_after_a_stop_no_task_is_begun() -> None:
    """It was begun, and nobody ended it."""
    supervisor = Supervisor()
    await supervisor.stop()

    supervisor.keep("late", asyncio.Event().wait)  # type: ignore[arg-type]  # what it gives is not used

    assert supervisor.names() == set()

"""The prewarmed process of the panel, with processes that only count."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from panel.web.prewarmed import AGAIN_AFTER_S, PrewarmedProcess
from panel.web.process import AppFailed, AppProcess
from tests.support import virtual_time


class Processes:
    """Those that run. A start takes some turns of the event loop, and fails while `broken`."""

    def __init__(self) -> None:
        self.running: set[_Process] = set()
        self.broken = False

    async def start(self, _columns: int, _rows: int) -> AppProcess:
        process = _Process(self)
        try:
            for _ in range(3):
                await asyncio.sleep(0)
            if self.broken:
                raise AppFailed("it cannot paint")
        except BaseException:
            self.running.discard(process)
            raise
        return cast(AppProcess, process)  # what is used of it here


class _Process:
    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        processes.running.add(self)

    @property
    def has_ended(self) -> bool:
        return self not in self._processes.running

    async def end(self) -> None:
        await asyncio.sleep(0)
        self._processes.running.discard(self)


@given(st.lists(st.tuples(st.integers(0, 6), st.none() | st.integers(0, 6)), min_size=1, max_size=8))
def test_whoever_takes_at_once_and_is_cancelled_leaves_one_process_and_none_after_the_end(
    takes: list[tuple[int, int | None]],
) -> None:
    """`takes`: after how many turns each begins, and after how many more it is cancelled."""

    async def story() -> None:
        processes = Processes()
        prewarmed = PrewarmedProcess(processes.start)
        await prewarmed.ready()

        async def take(after: int, cancelled_after: int | None) -> AppProcess | None:
            for _ in range(after):
                await asyncio.sleep(0)
            taking = asyncio.create_task(prewarmed.take())
            if cancelled_after is not None:
                for _ in range(cancelled_after):
                    await asyncio.sleep(0)
                taking.cancel()
            await asyncio.wait([taking])
            return None if taking.cancelled() else taking.result()

        taken = [one for one in await asyncio.gather(*(take(*each) for each in takes)) if one]
        await prewarmed.ready()
        for _ in range(10):
            await asyncio.sleep(0)

        assert len(set(map(id, taken))) == len(taken)
        assert len(processes.running) == len(taken) + 1
        for one in taken:
            await one.end()
        await prewarmed.end()
        assert processes.running == set()

    asyncio.run(story())


async def test_a_process_that_died_is_not_handed_out_and_one_that_cannot_start_is_tried_again() -> None:
    processes = Processes()
    prewarmed = PrewarmedProcess(processes.start)
    await prewarmed.ready()
    processes.running.clear()
    alive = await prewarmed.take()
    await prewarmed.ready()
    processes.broken = True
    await prewarmed.take()
    with pytest.raises(AppFailed):
        await prewarmed.take()
    problem = prewarmed.problem
    processes.broken = False
    mended = await prewarmed.take()

    assert not alive.has_ended
    assert not mended.has_ended
    assert (problem, prewarmed.problem) == ("it cannot paint", "")


def test_a_start_that_fails_once_is_tried_again_before_anybody_opens_a_page() -> None:
    """The panel was not ready, for its orchestrator and for everybody, until somebody opened a page."""

    async def story() -> None:
        processes = Processes()
        prewarmed = PrewarmedProcess(processes.start)
        await prewarmed.ready()
        processes.broken = True
        taken = await prewarmed.take()
        await asyncio.sleep(1)
        assert prewarmed.problem == "it cannot paint"

        processes.broken = False
        await asyncio.sleep(AGAIN_AFTER_S)

        assert prewarmed.problem == ""
        await taken.end()
        assert len(processes.running) == 1
        await prewarmed.end()
        await asyncio.sleep(2 * AGAIN_AFTER_S)
        assert not processes.running

    virtual_time.run(story())


def test_a_machine_that_can_start_no_process_is_a_failure_like_any_other() -> None:
    async def start(_columns: int, _rows: int) -> AppProcess:
        raise OSError(12, "Cannot allocate memory")

    async def story() -> None:
        prewarmed = PrewarmedProcess(start)
        with pytest.raises(AppFailed, match="Cannot allocate memory"):
            await prewarmed.take()
        await asyncio.sleep(1)
        assert "Cannot allocate memory" in prewarmed.problem
        await prewarmed.end()

    virtual_time.run(story())

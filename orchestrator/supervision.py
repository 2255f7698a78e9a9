"""Background tasks that never end unseen: each is started again with a growing pause, and its last error is shown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from orchestrator.clock import elapsed

log = structlog.get_logger()

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 60.0
WELL_AFTER_S = 60.0
"""A task that has run for this long, in seconds, is taken as working again: its next pause is the first one."""
KEEPS_FAILING = 3
"""How often in a row a task has ended with an error when it counts as one that keeps failing."""


@dataclass(frozen=True)
class Problem:
    """Why a task ended last, and how often in a row it has."""

    cause: str
    times: int


class Supervisor:
    """Starts background tasks, and starts each again when it ends with an error. Used on the event loop alone.

    A part of Changeover whose items have nothing to do with one another has a supervisor of its own for their tasks,
    with the `problems` of the whole, and stops it when it ends itself: a defect of one item ends no other. It
    `forgets` the tasks that have returned.
    """

    def __init__(self, problems: dict[str, Problem] | None = None, *, forgets: bool = False) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._dropped: set[asyncio.Task[None]] = set()
        """Those that have not ended yet."""
        self._is_stopped = False
        self._forgets = forgets
        self.problems: dict[str, Problem] = {} if problems is None else problems
        """By the task's name; one that works again is not in it."""

    def keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run `work`, again after each error, until it returns or the task is dropped. Replaces a task of that name.
        Nothing after `stop`: nobody would end it."""
        self.drop(name)
        if self._is_stopped:
            return
        self._tasks[name] = asyncio.create_task(self._keep(name, work), name=name)

    def drop(self, name: str) -> None:
        """Cancel a task; nothing if there is none. It may take a moment to end, which `stop` waits for."""
        task = self._tasks.pop(name, None)
        self.problems.pop(name, None)
        if task and not task.done():
            task.cancel()
            self._dropped.add(task)
            task.add_done_callback(self._dropped.discard)

    def failing(self) -> list[str]:
        """The names of the tasks that keep failing."""
        return sorted(name for name, problem in self.problems.items() if problem.times >= KEEPS_FAILING)

    def names(self) -> set[str]:
        return set(self._tasks)

    async def stop(self) -> None:
        """Cancel all tasks and wait for their end. None is begun any more."""
        self._is_stopped = True
        for name in list(self._tasks):
            self.drop(name)
        if self._dropped:
            await asyncio.wait(self._dropped)

    async def _keep(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        pause, times = FIRST_PAUSE_S, 0
        while True:
            began = elapsed()
            well = asyncio.get_running_loop().call_later(WELL_AFTER_S, self.problems.pop, name, None)
            try:
                await work()
            except (Exception, asyncio.CancelledError) as error:
                if _is_cancelled():
                    raise  # it is dropped; any other cancel is one of what the work waited for
                if elapsed() - began > WELL_AFTER_S:
                    pause, times = FIRST_PAUSE_S, 0
                times += 1
                self.problems[name] = Problem(str(error) or type(error).__name__, times)
                log.exception("background task failed", task=name, times=times, again_in_s=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_S)
            else:
                self.problems.pop(name, None)
                if self._forgets and self._tasks.get(name) is asyncio.current_task():
                    del self._tasks[name]
                return
            finally:
                well.cancel()


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0

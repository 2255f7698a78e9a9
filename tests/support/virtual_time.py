"""An event loop whose clock jumps to the next timer as soon as there is nothing else to do: waiting costs no time."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """While a thread works, the clock does not jump: otherwise each timer would pass before the thread's answer. It
    goes on by the time that the thread is waited for. How long the machine takes for anything else has no effect on it.
    """

    clock = 1000.0
    threads = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout <= 0 or self.threads:
            began = time.monotonic()
            ready = super().select(timeout)
            self.clock += time.monotonic() - began if timeout != 0 else 0
            return ready
        ready = super().select(0)
        if not ready:
            self.clock += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """`call_later`, `sleep` and timeouts follow this clock; `time.monotonic` and threads do not."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.clock

    def run_in_executor(  # type: ignore[override]  # Any: arguments of any function, as in the base class
        self, executor: Executor | None, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        work = super().run_in_executor(executor, func, *args)
        self._virtual.threads += 1
        work.add_done_callback(self._thread_is_done)
        return work

    def _thread_is_done(self, _work: asyncio.Future[Any]) -> None:
        self._virtual.threads -= 1


def run(work: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, on a loop of this kind."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)

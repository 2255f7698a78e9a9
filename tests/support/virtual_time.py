"""An event loop whose clock jumps to the next timer as soon as there is nothing else to do: waiting costs no time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    jump = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            return super().select(None)
        ready = super().select(0)
        if not ready:
            self.jump += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """`call_later`, `sleep` and timeouts follow this clock; `time.monotonic` and threads do not."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return super().time() + self._virtual.jump


def run(work: Coroutine[Any, Any, T]) -> T:
    """As asyncio.run, on a loop of this kind."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)

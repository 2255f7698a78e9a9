"""Events of the engine that wait for a reader."""

from __future__ import annotations

import asyncio

from orchestrator.engine.base import ContainerEvent
from orchestrator.engine.docker.event_watch import MOST_WAITING, arrive
from orchestrator.errors import EngineError


def test_a_slow_reader_is_told_that_events_were_lost_and_keeps_no_more_than_the_limit() -> None:
    waiting: asyncio.Queue[ContainerEvent | Exception] = asyncio.Queue(MOST_WAITING + 1)

    for number in range(3 * MOST_WAITING):
        arrive(waiting, ContainerEvent("die", "shop", "app", f"shop-{number}"))
    found = [waiting.get_nowait() for _ in range(waiting.qsize())]

    assert [one.container for one in found[:-1] if isinstance(one, ContainerEvent)] == [
        f"shop-{number}" for number in range(MOST_WAITING)
    ]
    assert isinstance(found[-1], EngineError)

"""Events of the engine that wait for a reader."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from border.secrets import Secrets
from orchestrator.domain.log_line import LogRange
from orchestrator.engine.base import LABEL_NAME, LABEL_STACK, OPENED, ContainerEvent
from orchestrator.engine.docker.event_watch import MOST_WAITING, arrive, watch
from orchestrator.engine.docker.live_output import follow_log
from orchestrator.errors import EngineError
from tests.support.fakes.container_log import with_log


def test_a_slow_reader_is_told_that_events_were_lost_and_keeps_no_more_than_the_limit() -> None:
    waiting: asyncio.Queue[ContainerEvent | Exception] = asyncio.Queue(MOST_WAITING + 1)

    for number in range(3 * MOST_WAITING):
        arrive(waiting, ContainerEvent("die", "shop", "app", f"shop-{number}"))
    found = [waiting.get_nowait() for _ in range(waiting.qsize())]

    assert [one.container for one in found[:-1] if isinstance(one, ContainerEvent)] == [
        f"shop-{number}" for number in range(MOST_WAITING)
    ]
    assert isinstance(found[-1], EngineError)


@pytest.mark.parametrize("event", [{"Action": "die", "Actor": None}, {"Action": "die", "Actor": {"Attributes": None}}])
async def test_an_event_that_is_not_understood_ends_the_watch_and_does_not_silence_it(event: dict[str, Any]) -> None:
    """The thread died unseen: no event was heard from then on, and nobody opened the stream again."""

    def events(**_options: object) -> Iterator[dict[str, Any]]:
        yield event

    watching = watch("test", lambda: SimpleNamespace(events=events))

    async with asyncio.timeout(5):
        with pytest.raises(EngineError, match="event stream ended"):
            async for _ in watching:
                pass


@pytest.mark.parametrize(
    ("said", "code"), [("137", 137), ("0", 0), (3, 3), ("", None), ("-1", None), ("9" * 5000, None)]
)
async def test_the_exit_code_of_an_end_is_taken_if_it_is_one(said: object, code: int | None) -> None:
    def events(**_options: object) -> Iterator[dict[str, Any]]:
        yield {"Action": "die", "Actor": {"Attributes": {LABEL_NAME: "shop", "exitCode": said}}}

    watching = watch("test", lambda: SimpleNamespace(events=events))
    async with asyncio.timeout(5):
        heard = [await anext(watching), await anext(watching)]

    assert heard == [OPENED, ContainerEvent("die", "", "", "shop", code)]


async def test_a_log_that_is_not_understood_ends_and_does_not_wait_for_ever() -> None:
    container = with_log(b"", labels={LABEL_STACK: "test", LABEL_NAME: "shop"}, name="shop")
    container.attrs = {"of": "another engine"}
    containers = SimpleNamespace(get=lambda _name: container)
    following = follow_log("shop", "test", LogRange(10), Secrets(), lambda: SimpleNamespace(containers=containers))

    async with asyncio.timeout(5):
        with pytest.raises(EngineError, match="cannot be followed"):
            async for _ in following:
                pass

"""Short calls of the engine never wait behind long ones."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import cast

import docker
import pytest

from orchestrator.engine.base import LABEL_NAME, LABEL_STACK
from orchestrator.engine.docker.engine import SHORT_CALLS, DockerEngine

LONG_CALLS: dict[str, Callable[[DockerEngine], Awaitable[object]]] = {
    "stop": lambda engine: engine.stop("shop", 10),
    "stop and remove": lambda engine: engine.remove("shop", 10),
    "log": lambda engine: engine.logs("shop"),
    "build cache": lambda engine: engine.prune_build_cache(0),
    "disk usage": lambda engine: engine.disk_usage(),
    "images": lambda engine: engine.remove_images("test/shop", set()),
}


@pytest.mark.parametrize("name", LONG_CALLS)
def test_as_many_long_calls_as_there_are_threads_keep_no_short_one_waiting(name: str) -> None:
    """Apps that take their `drain.stop_timeout` to end, all at once, delayed the failover of every other app."""
    may_end = threading.Event()

    def wait(*_arguments: object, **_options: object) -> list[bytes]:
        may_end.wait(10)
        return []

    def df() -> dict[str, object]:
        wait()
        return {}

    container = SimpleNamespace(
        id="c1", name="shop", status="running", labels={LABEL_NAME: "shop", LABEL_STACK: "test"},
        stop=wait, logs=wait, remove=lambda **_options: None,
    )  # fmt: skip
    client = SimpleNamespace(
        containers=SimpleNamespace(get=lambda _name: container),
        api=SimpleNamespace(prune_builds=wait, images=wait),
        df=df,
        version=lambda: {"Version": "26.1"},
    )
    engine = DockerEngine("test", "test")
    engine._client = cast(docker.DockerClient, client)

    async def story() -> None:
        long = [asyncio.ensure_future(LONG_CALLS[name](engine)) for _ in range(SHORT_CALLS)]
        await asyncio.sleep(0.05)
        try:
            async with asyncio.timeout(5):
                assert await engine.version() == "26.1"
            assert not any(one.done() for one in long)
        finally:
            may_end.set()
            await asyncio.gather(*long)

    asyncio.run(story())

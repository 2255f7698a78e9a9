"""Short calls of the engine never wait behind long ones, and ends of containers not behind what takes minutes."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import cast

import docker
import pytest

from orchestrator.engine.base import LABEL_NAME, LABEL_STACK
from orchestrator.engine.docker.calls import ENDS, LONG_CALLS, SHORT_CALLS
from orchestrator.engine.docker.engine import DockerEngine
from tests.support.fakes.container_log import with_log

CALLS: dict[str, Callable[[DockerEngine], Awaitable[object]]] = {
    "stop": lambda engine: engine.stop("shop", 10),
    "stop and remove": lambda engine: engine.remove("shop", 10),
    "log": lambda engine: engine.logs("shop"),
    "disk usage": lambda engine: engine.disk_usage(),
    "images": lambda engine: engine.remove_images("test/shop", set()),
}


@pytest.mark.parametrize("name", CALLS)
def test_as_many_long_calls_as_there_are_threads_keep_no_short_one_waiting(name: str) -> None:
    """Apps that take their `drain.stop_timeout` to end, all at once, delayed the failover of every other app."""
    may_end = threading.Event()

    engine = _engine(may_end)

    async def story() -> None:
        long = [asyncio.ensure_future(CALLS[name](engine)) for _ in range(ENDS + LONG_CALLS)]
        await asyncio.sleep(0.05)
        try:
            async with asyncio.timeout(5):
                assert await engine.version() == "26.1"
            assert not any(one.done() for one in long)
        finally:
            may_end.set()
            await asyncio.gather(*long)

    asyncio.run(story())


def test_a_container_ends_while_all_that_may_take_minutes_is_under_way() -> None:
    """Requests wait for it, in a restore."""
    may_end, killed = threading.Event(), threading.Event()
    engine = _engine(may_end, killed)

    async def story() -> None:
        long = [asyncio.ensure_future(engine.disk_usage()) for _ in range(2 * LONG_CALLS + SHORT_CALLS)]
        await asyncio.sleep(0.05)
        try:
            async with asyncio.timeout(5):
                await engine.stop("shop", 10)
            assert killed.is_set()
        finally:
            may_end.set()
            await asyncio.gather(*long)

    asyncio.run(story())


def test_a_rollback_does_not_wait_until_the_build_cache_is_reduced() -> None:
    """It stops what is tidied up after a deployment, also after one that has failed: BuildKit may take a minute."""
    may_end = threading.Event()
    engine = _engine(may_end)

    async def story() -> None:
        tidying = asyncio.ensure_future(engine.prune_build_cache(0))
        await asyncio.sleep(0.05)
        tidying.cancel()
        try:
            ended, _ = await asyncio.wait([tidying], timeout=5)
            assert ended
        finally:
            may_end.set()

    asyncio.run(story())


def test_as_many_rollbacks_as_there_are_threads_leave_one_call_to_the_build_cache() -> None:
    """Each leaves what it does not wait for: they kept every log and every removal of an image waiting for BuildKit."""
    may_end, asked = threading.Event(), list[int]()
    engine = _engine(may_end)

    def prune_builds(keep_storage: int) -> dict[str, object]:
        asked.append(keep_storage)
        may_end.wait(10)
        return {}

    api = SimpleNamespace(images=lambda _name: [], prune_builds=prune_builds)
    engine._client = cast(docker.DockerClient, SimpleNamespace(api=api))

    async def story() -> None:
        try:
            for _ in range(LONG_CALLS):
                tidying = asyncio.ensure_future(engine.prune_build_cache(0))
                await asyncio.sleep(0.01)
                tidying.cancel()
            async with asyncio.timeout(5):
                assert await engine.tagged_images("test/shop") == set()
        finally:
            may_end.set()

    asyncio.run(story())
    assert asked == [0]


def test_a_rollback_waits_for_the_removal_of_one_image_at_most() -> None:
    may_end = threading.Event()
    engine, removed, begun = _engine(may_end), list[str](), threading.Event()
    images = [{"Id": f"sha256:{number}", "RepoTags": [f"test/shop:{number}"]} for number in range(5)]

    def remove(tag: str) -> None:
        removed.append(tag)
        begun.set()
        may_end.wait(10)

    client = SimpleNamespace(api=SimpleNamespace(images=lambda _name: images), images=SimpleNamespace(remove=remove))
    engine._client = cast(docker.DockerClient, client)

    async def story() -> None:
        tidying = asyncio.ensure_future(engine.remove_images("test/shop", set()))
        assert await asyncio.to_thread(begun.wait, 10)
        tidying.cancel()
        await asyncio.sleep(0.05)
        may_end.set()
        await asyncio.wait([tidying])

    asyncio.run(story())
    assert removed == ["test/shop:0"]


def _engine(may_end: threading.Event, stopped: threading.Event | None = None) -> DockerEngine:
    """One whose long calls wait; a stop does not, if the test wants to know that it was done."""

    def wait(*_arguments: object, **_options: object) -> list[bytes]:
        may_end.wait(10)
        return []

    def df() -> dict[str, object]:
        wait()
        return {}

    container = with_log(
        b"", wait, name="shop", status="running", labels={LABEL_NAME: "shop", LABEL_STACK: "test"},
        stop=(lambda **_options: stopped.set()) if stopped else wait, remove=lambda **_options: None,
    )  # fmt: skip
    client = SimpleNamespace(
        containers=SimpleNamespace(get=lambda _name: container),
        api=SimpleNamespace(prune_builds=lambda **_options: df(), images=wait),
        df=df,
        version=lambda: {"Version": "26.1"},
    )
    engine = DockerEngine("test", "test")
    engine._client = cast(docker.DockerClient, client)
    return engine

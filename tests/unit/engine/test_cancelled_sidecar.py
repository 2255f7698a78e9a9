"""A sidecar that is cancelled is removed, also by an engine that is away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import docker
import pytest

from border.secrets import Secrets
from orchestrator.engine.base import ContainerSpec
from orchestrator.engine.docker.sidecars import Sidecars
from orchestrator.errors import EngineError
from tests.support import virtual_time

T = TypeVar("T")
NAME = "test-shop-migrate"
AWAY = EngineError("Docker Engine does not answer.", "Start it.")


class Restarted:
    """An engine that ends while the sidecar runs, which outlives it, and is back later."""

    def __init__(self) -> None:
        self.runs, self.ended, self.is_back, self.removed = (asyncio.Event() for _ in range(4))

    async def alone(self, _run: Callable[[docker.DockerClient], T], /) -> T:
        self.runs.set()
        await self.ended.wait()
        raise AWAY

    async def short(self, _removal: Callable[[docker.DockerClient], T], /) -> T:
        if not self.is_back.is_set():
            self.ended.set()
            raise AWAY
        self.removed.set()
        return None  # type: ignore[return-value]


def test_a_sidecar_that_was_cancelled_while_the_engine_was_away_is_removed_when_it_is_back() -> None:
    """Nobody knew of it any more: with live-restore, a cancelled migration went on."""

    async def story() -> None:
        engine = Restarted()
        sidecars = Sidecars("test", engine.short, engine.alone, Secrets())
        spec = ContainerSpec(NAME, "sha256:1", {}, "")
        work = asyncio.ensure_future(sidecars.run_to_end(spec, 3600, lambda _line: None, 4096))
        await engine.runs.wait()

        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work

        assert sidecars.at_work == {NAME}
        engine.is_back.set()
        async with asyncio.timeout(60):
            await engine.removed.wait()

    virtual_time.run(story())

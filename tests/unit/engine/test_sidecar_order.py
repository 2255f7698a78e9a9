"""Of sidecars that begin together, those that give way start last: a backup beside a status command."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import TypeVar, cast

import docker
import pytest

from border.secrets import Secrets
from orchestrator.engine.base import LABEL_APP, ContainerSpec
from orchestrator.engine.docker.sidecar_run import Run
from orchestrator.engine.docker.sidecars import Sidecars
from orchestrator.errors import EngineError
from orchestrator.host.output import Output
from tests.unit.engine.test_sidecar_output import Working, client_of

T = TypeVar("T")


class Held:
    """An engine in which each run goes on until it is let go, or fails."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self._futures: list[asyncio.Future[object]] = []

    async def alone(self, run: Callable[[docker.DockerClient], T], /) -> T:
        self.runs.append(cast(Run, run))
        self._futures.append(asyncio.get_running_loop().create_future())
        return cast(T, await self._futures[-1])

    async def short(self, _removal: Callable[[docker.DockerClient], T], /) -> T:
        return None  # type: ignore[return-value]

    def fails(self, number: int) -> None:
        self._futures[number].set_exception(EngineError("no such image"))

    def ends(self) -> None:
        for future in self._futures:
            if not future.done():
                future.set_result((None, False))


def _begins(sidecars: Sidecars, name: str, app: str, *, gives_way: bool) -> Coroutine[object, object, object]:
    spec = ContainerSpec(name, "sha256:1", {LABEL_APP: app}, "", gives_way=gives_way)
    return sidecars.run_to_end(spec, 60, lambda _line: None, 4096)


def test_one_that_gives_way_waits_for_the_start_of_the_others_of_its_app_alone() -> None:
    async def story() -> None:
        engine = Held()
        sidecars = Sidecars("test", engine.short, engine.alone, Secrets())
        work = []
        for name, app, gives_way in (
            ("status", "shop", False), ("of another", "blog", False),
            ("gentle", "shop", True), ("backup", "shop", True), ("later", "shop", False),
        ):  # fmt: skip
            work.append(asyncio.ensure_future(_begins(sidecars, name, app, gives_way=gives_way)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        status, other, gentle, backup, later = engine.runs

        assert [one.lets_start for one in (status, other, later)] == [(), (), ()]
        assert gentle.lets_start == backup.lets_start == (status.begun,)
        assert not status.begun.is_set()

        engine.fails(0)
        await asyncio.wait(work[:1])
        assert status.begun.is_set(), "one that never starts keeps nobody waiting"

        engine.ends()
        await asyncio.gather(*work, return_exceptions=True)

    asyncio.run(story())


@pytest.mark.parametrize("is_stopped", [False, True])
def test_it_starts_when_they_have_begun_and_not_at_all_if_it_is_stopped_before(is_stopped: bool) -> None:
    class Noted(Working):
        started = False

        def start(self) -> None:
            self.started = True
            super().start()

    container = Noted(work=0.01)
    begun, stopped = threading.Event(), threading.Event()
    spec = ContainerSpec(container.name, "sha256:1", {}, "", gives_way=True)
    run = Run(spec, "test", 60, Output(lambda _line: None), stopped, lets_start=(begun,))
    thread = threading.Thread(target=run, args=[client_of(container)])
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    assert not container.started

    if is_stopped:
        stopped.set()
    else:
        begun.set()
    thread.join(10)

    assert not thread.is_alive()
    assert container.started is run.begun.is_set() is not is_stopped

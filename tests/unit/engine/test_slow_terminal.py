"""A command that is ended has ended, also while what its terminal shows waits for a reader who takes nothing."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, TypeVar, cast

import docker
import pytest
from docker.errors import NotFound

from border.secrets import Secrets
from orchestrator.engine.base import LABEL_NAME, LABEL_STACK, ContainerSpec
from orchestrator.engine.docker.live_output import Execution, to_the_end
from orchestrator.engine.docker.sidecars import Sidecars
from orchestrator.engine.terminal import Input, Pipe, Size, Terminal
from orchestrator.host.output import Output
from tests.support.attached import attached
from tests.support.waited import Waited

T = TypeVar("T")
NAME = "test-shop-run"
STUCK_S = 5.0
"""How long the reader takes nothing, unless it is not waited for any more."""


class Reader:
    """It takes nothing of what is shown. `is_waited_for`: a thread of the engine waits for it."""

    def __init__(self) -> None:
        self.is_waited_for, self.is_let_go = threading.Event(), threading.Event()
        self.terminal = Terminal(Size(80, 24), self._show, self.is_let_go.set)
        self.pipe = Pipe(None, self._show, self.is_let_go.set)

    def _show(self, _chunk: bytes) -> None:
        self.is_waited_for.set()
        self.is_let_go.wait(STUCK_S)


class FakeContainer(Waited):
    """Docker's container, whose process shows something, and ends when it is killed or the container is removed."""

    id = "c1"
    name = NAME
    status = "running"
    attrs: dict[str, Any] = {}

    def __init__(self, stdin: Input) -> None:
        ours, self._theirs = socket.socketpair()
        self._connection = attached(ours, self._theirs)
        said = b"changeover-process 71\nhello"
        framed = struct.pack(">BxxxL", 1, len(said)) + said
        self._theirs.sendall(framed if isinstance(stdin, Pipe) else said)
        self.labels = {LABEL_STACK: "test", LABEL_NAME: NAME}
        self.is_gone = False

    def remove(self, **_options: bool) -> None:
        self.is_gone = True
        self._theirs.close()

    def exec_run(self, _command: list[str]) -> None:
        self._theirs.close()

    def start(self) -> None: ...

    def resize(self, **_size: int) -> None: ...

    def wait(self) -> None:
        raise NotFound(NAME)

    def attach_socket(self, **_options: Any) -> Any:
        return self._connection

    def exec_create(self, *_what: Any, **_options: Any) -> dict[str, str]:
        return {"Id": "e1"}

    def exec_start(self, *_what: Any, **_options: Any) -> Any:
        return self._connection

    def exec_inspect(self, _execution: str) -> dict[str, int]:
        return {"ExitCode": 137}

    def exec_resize(self, *_what: Any, **_size: int) -> None: ...


def client_of(container: FakeContainer) -> docker.DockerClient:
    def get(_name: str) -> FakeContainer:
        if container.is_gone:
            raise NotFound(NAME)
        return container

    images = SimpleNamespace(get=lambda _image: SimpleNamespace(attrs={"Config": {"User": "1000"}}))
    containers = SimpleNamespace(create=lambda *_names, **_options: container, get=get)
    return cast(docker.DockerClient, SimpleNamespace(containers=containers, images=images, api=container_list()))


def container_list() -> SimpleNamespace:
    return SimpleNamespace(containers=lambda **_options: [])


def inside(stdin: Input) -> Awaitable[object]:
    async def alone(ask: Callable[[docker.DockerClient], T]) -> T:
        return await asyncio.to_thread(ask, client_of(container))

    container = FakeContainer(stdin)
    execution = Execution(container, ("psql",), {}, Output(lambda _line: None), stdin)
    return to_the_end(execution, 3600, alone)


def in_a_new_one(stdin: Input) -> Awaitable[object]:
    async def ask_it(ask: Callable[[docker.DockerClient], T]) -> T:
        return await asyncio.to_thread(ask, client_of(container))

    container = FakeContainer(stdin)
    spec = ContainerSpec(NAME, "sha256:1", {}, "", stdin=stdin)
    return Sidecars("test", ask_it, ask_it, Secrets()).run_to_end(spec, 3600, lambda _line: None, 4096)


@pytest.mark.parametrize("place", ["terminal", "pipe"])
@pytest.mark.parametrize("begin", [inside, in_a_new_one], ids=["exec", "run"])
def test_nothing_waits_for_the_reader_of_a_command_that_is_ended(
    begin: Callable[[Input], Awaitable[object]], place: str
) -> None:
    reader = Reader()

    async def story() -> None:
        work = asyncio.ensure_future(begin(reader.terminal if place == "terminal" else reader.pipe))
        await asyncio.to_thread(reader.is_waited_for.wait, STUCK_S)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        assert reader.is_let_go.is_set()

    asyncio.run(story())

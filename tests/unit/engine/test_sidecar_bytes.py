"""A one-off command in a container of its own, whose standard output is wanted byte for byte."""

from __future__ import annotations

import socket
import struct
import threading
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
from docker.errors import NotFound
from requests.exceptions import ChunkedEncodingError

from orchestrator.engine.base import ContainerSpec
from orchestrator.engine.docker.sidecar_run import Run
from orchestrator.engine.terminal import Pipe
from orchestrator.errors import EngineError
from orchestrator.host.output import Output
from tests.support.attached import attached
from tests.support.waited import Waited

DUMP = bytes(range(256)) * 4000


class Dumping(Waited):
    """Docker's container: when it is started it sends `sent` to whoever has attached, then ends."""

    id = "c1"
    name = "test-shop-run"

    def __init__(self, sent: bytes) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._sent = sent
        self.read = b""
        self.asked: dict[str, int] = {}
        self.labels: dict[str, str] = {}
        self.attrs: dict[str, Any] = {
            "Id": self.id, "Name": f"/{self.name}", "Image": "sha256:1", "Config": {"Labels": {}}, "RestartCount": 0,
            "State": {"Running": False, "Paused": False, "ExitCode": 0, "OOMKilled": False, "Error": ""},
            "NetworkSettings": {"Networks": {}}, "HostConfig": {},
        }  # fmt: skip

    def attach_socket(self, params: dict[str, int]) -> Any:
        self.asked = params
        return attached(self._ours, self._theirs)

    def start(self) -> None:
        self._work = threading.Thread(target=self._talk)
        self._work.start()

    def _talk(self) -> None:
        while "stdin" in self.asked and (piece := self._theirs.recv(4096)):
            self.read += piece
        self._theirs.sendall(self._sent)
        self._theirs.close()

    def wait(self) -> None:
        self._work.join()

    def reload(self) -> None: ...

    def logs(self, **_options: bool) -> Any:
        raise AssertionError("the log is lines, of which Docker drops the oldest ones")


def framed(stream: int, content: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(content)) + content


def none(name: str) -> None:
    raise NotFound(name)


def carried_out(container: Dumping, pipe: Pipe | None, lines: list[str]) -> tuple[int, bool]:
    images = SimpleNamespace(get=lambda _image: SimpleNamespace(attrs={"Config": {"User": "1000"}}))
    containers = SimpleNamespace(create=lambda *_names, **_options: container, get=none)
    api = SimpleNamespace(containers=lambda **_options: [])
    client = cast(docker.DockerClient, SimpleNamespace(containers=containers, images=images, api=api))
    spec = ContainerSpec(container.name, "sha256:1", {}, "", stdin=pipe)
    status, late = Run(spec, "test", 60, Output(lines.append), threading.Event())(client)
    return status.exit_code, late


@pytest.mark.parametrize("content", [None, b"", b"typed\n" * 1000], ids=["no input", "empty input", "input"])
def test_a_pipe_gets_the_standard_output_byte_for_byte_and_nothing_else(content: bytes | None) -> None:
    shown, lines = list[bytes](), list[str]()
    container = Dumping(framed(1, DUMP) + framed(2, b"a warning\n") + framed(1, b"\x00no newline"))

    ended = carried_out(container, Pipe(content, shown.append), lines)

    assert ended == (0, False)
    assert b"".join(shown) == DUMP + b"\x00no newline"
    assert lines == ["a warning"]
    assert container.read == (content or b"")


@pytest.mark.parametrize("sent", [framed(1, DUMP)[:-1], framed(1, b"one") + b"\x01\x00"], ids=["piece", "head"])
def test_output_that_breaks_off_in_the_middle_is_a_failure(sent: bytes) -> None:
    with pytest.raises(EngineError, match="broke off"):
        carried_out(Dumping(sent), Pipe(None, lambda _: None), [])


@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_command_that_succeeds_is_not_believed_where_its_output_broke_off(exit_code: int) -> None:
    """What it has reported is not whole. One that fails has said enough."""
    container = Dumping(framed(1, b"one\n") + b"\x01\x00")
    container.attrs["State"]["ExitCode"] = exit_code
    lines = list[str]()

    if exit_code:
        assert carried_out(container, None, lines) == (exit_code, False)
    else:
        with pytest.raises(EngineError, match="broke off"):
            carried_out(container, None, lines)
    assert lines == ["one"]


class Outliving(Dumping):
    """Its engine is restarted while it runs, and connections to the old one end; the new one says how it ended."""

    def __init__(self, sent: bytes, *, stopped: bool) -> None:
        super().__init__(sent)
        self._is_stopped = stopped

    def json(self) -> dict[str, int]:
        if self._is_stopped:
            return {"StatusCode": -1}
        raise ChunkedEncodingError("Response ended prematurely")


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "killed"])
def test_output_is_not_believed_whose_engine_was_restarted_before_its_end(stopped: bool) -> None:
    """It ended between two pieces, as if the command had nothing more to report: no pending migration."""
    with pytest.raises(EngineError, match="was restarted, while container test-shop-run ran: not all of its output"):
        carried_out(Outliving(framed(1, b"one\n"), stopped=stopped), None, [])


def test_reports_and_warnings_are_lines_of_their_own() -> None:
    lines = list[str]()
    said = framed(1, b'{"revision": ') + framed(2, b"a warning\n") + framed(1, b'"0002"}\n')

    assert carried_out(Dumping(said), None, lines) == (0, False)
    assert lines == ["a warning", '{"revision": "0002"}']

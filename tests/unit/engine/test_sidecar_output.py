"""A sidecar ends at its time limit, whatever it still has to say."""

from __future__ import annotations

import socket
import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import docker
import pytest
from docker.errors import APIError, NotFound
from requests.exceptions import ReadTimeout

from orchestrator.engine.base import ContainerSpec
from orchestrator.engine.docker.sidecar_run import Run
from orchestrator.errors import EngineError
from orchestrator.host.output import LINE_BYTES, Output
from tests.support.attached import attached
from tests.support.waited import Waited
from tests.unit.engine.test_sidecar_bytes import framed


class Talking(Waited):
    """A container that prints for ever, also when it was killed; the first `lost_kills` kills do not arrive."""

    id = "c1"
    name = "test-migrate"
    attrs: dict[str, object]
    made_with: dict[str, object]

    def __init__(self, chunk: bytes, lost_kills: int = 0) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._chunk = framed(1, chunk)
        self.is_let_go = threading.Event()
        self.killed = False
        self._lost_kills = lost_kills
        self.attrs = {
            "Id": self.id, "Name": f"/{self.name}", "Image": "sha256:1", "Config": {"Labels": {}}, "RestartCount": 0,
            "State": {"Running": False, "Paused": False, "ExitCode": 137, "OOMKilled": False, "Error": ""},
            "NetworkSettings": {"Networks": {}}, "HostConfig": {},
        }  # fmt: skip
        self.labels: dict[str, str] = {}

    def attach_socket(self, params: dict[str, int]) -> Any:
        return attached(self._ours, self._theirs)

    def start(self) -> None:
        threading.Thread(target=self._talk, daemon=True).start()

    def _talk(self) -> None:
        try:
            while True:
                self._theirs.sendall(self._chunk)
                time.sleep(0.001)
        except OSError:
            self.is_let_go.set()

    def end(self) -> None:
        self._theirs.close()

    def reload(self) -> None: ...

    def logs(self, **_options: bool) -> Any:
        raise AssertionError("Docker drops lines of a log, all of them while the disk is full")

    def kill(self) -> None:
        if self._lost_kills:
            self._lost_kills -= 1
            raise ReadTimeout("Read timed out.")
        self.killed = True


def none(name: str) -> None:
    """It is gone as soon as somebody looks for it."""
    raise NotFound(name)


@pytest.mark.parametrize("chunk", [b"x" * 65536, b"a line\n" * 1000], ids=["one line without an end", "lines"])
def test_output_without_end_does_not_keep_a_sidecar_past_its_time(chunk: bytes) -> None:
    """100 MB without a newline were read for five minutes after the limit of the migration that printed them."""
    _is_killed_in_time(Talking(chunk))


def test_a_kill_that_docker_does_not_answer_is_sent_again() -> None:
    """A migration that an engine under load did not kill ran on without any limit."""
    _is_killed_in_time(Talking(b"a line\n", lost_kills=2))


class Silent(Talking):
    """A container that closes its output at once, and works on until it is killed."""

    def __init__(self, lost_kills: int) -> None:
        super().__init__(b"", lost_kills)
        self._was_killed = threading.Event()

    def start(self) -> None:
        self.end()
        self.is_let_go.set()

    def kill(self) -> None:
        super().kill()
        self._was_killed.set()

    def wait(self) -> None:
        self._was_killed.wait(20)


def test_a_kill_is_sent_again_also_where_the_output_has_ended_before() -> None:
    """It ran on without any limit: it was killed once, and then waited for."""
    _is_killed_in_time(Silent(lost_kills=1))


def client_of(container: Talking) -> docker.DockerClient:
    images = SimpleNamespace(get=lambda _image: SimpleNamespace(attrs={"Config": {"User": "1000"}}))

    def create(*_names: str, **options: object) -> Talking:
        container.made_with = options
        return container

    containers = SimpleNamespace(create=create, get=none)
    api = SimpleNamespace(containers=lambda **_options: [])
    return cast(docker.DockerClient, SimpleNamespace(containers=containers, images=images, api=api))


def _is_killed_in_time(container: Talking) -> None:
    lines = list[str]()
    client = client_of(container)
    spec = ContainerSpec(container.name, "sha256:1", {}, "")
    began = time.monotonic()

    status, late = Run(spec, "test", 0.1, Output(lines.append), threading.Event(), output_within_s=0.1)(client)

    assert (late, status.running, container.killed, container.removed) == (True, False, True, True)
    assert container.is_let_go.wait(10)
    assert time.monotonic() - began < 30
    assert max(map(len, lines), default=0) < LINE_BYTES + 60


class Working(Talking):
    """A container that works until `work` is over, or until its priority is lowered; Docker may refuse to lower it."""

    def __init__(self, work: float, refuses: bool = False) -> None:
        super().__init__(b"a line\n")
        self.shares: list[int] = []
        self._work, self._refuses = work, refuses
        state = cast(dict[str, object], self.attrs["State"])
        state["ExitCode"] = 0

    def start(self) -> None:
        threading.Timer(self._work, self.end).start()

    def update(self, *, cpu_shares: int) -> None:
        self.shares.append(cpu_shares)
        if self._refuses:
            raise APIError("409 Conflict", explanation="the container is not running")
        self.end()


@pytest.mark.parametrize("refuses", [False, True])
def test_a_sidecar_that_gives_way_has_the_lowest_priority_once_it_has_begun(refuses: bool) -> None:
    container = Working(work=0.3 if refuses else 30, refuses=refuses)
    spec = ContainerSpec(container.name, "sha256:1", {}, "", gives_way=True)
    run = Run(spec, "test", 60, Output(lambda _line: None), threading.Event(), begins_within_s=0.01)

    status, late = run(client_of(container))

    assert (status.exit_code, late, container.shares) == (0, False, [2])


@pytest.mark.parametrize("gives_way", [False, True], ids=["never", "had it gone on"])
def test_a_sidecar_has_its_usual_priority_from_its_start(gives_way: bool) -> None:
    """With the lowest one, its start took two seconds beside a busy app, for a backup of a few kilobytes."""
    container = Working(work=0.05)
    spec = ContainerSpec(container.name, "sha256:1", {}, "", gives_way=gives_way)

    status, _ = Run(spec, "test", 60, Output(lambda _line: None), threading.Event())(client_of(container))

    assert (status.exit_code, container.shares) == (0, [])
    assert "cpu_shares" not in container.made_with
    timers = [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
    later = [one for one in timers if one.args == [container] and not one.finished.is_set()]
    assert later == [], "nothing is done later to a container that is gone"


class Refusing(Talking):
    """A container that Docker does not start, or starts and then says that it could not."""

    def __init__(self, started_at: str) -> None:
        super().__init__(b"")
        cast(dict[str, object], self.attrs["State"])["StartedAt"] = started_at

    def start(self) -> None:
        raise APIError("500 Server Error", explanation="network database not found")


@pytest.mark.parametrize(
    ("started_at", "never_began"), [("0001-01-01T00:00:00Z", True), ("2026-11-26T15:14:35.5Z", False)]
)
def test_a_container_that_docker_has_not_started_never_began(started_at: str, never_began: bool) -> None:
    container = Refusing(started_at)
    client = client_of(container)

    with pytest.raises(EngineError, match="network database not found") as refused:
        Run(ContainerSpec(container.name, "sha256:1", {}, ""), "test", 60, Output(print), threading.Event())(client)

    assert refused.value.never_began is never_began

"""A sidecar ends at its time limit, whatever it still has to say."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import docker
import pytest
from docker.errors import APIError, NotFound
from requests.exceptions import ReadTimeout

from orchestrator.engine.base import ContainerSpec
from orchestrator.engine.docker.sidecars import Run
from orchestrator.errors import EngineError
from orchestrator.host.output import LINE_BYTES, Output


class Endless:
    """Output of Docker's that goes on after the container has ended, until it is closed."""

    def __init__(self, chunk: bytes) -> None:
        self._chunk = chunk
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        while not self.closed.wait(0.001):
            yield self._chunk

    def close(self) -> None:
        self.closed.set()


class Talking:
    """A container that prints for ever, also when it was killed; the first `lost_kills` kills do not arrive."""

    id = "c1"
    name = "test-migrate"
    attrs: dict[str, object]

    def __init__(self, chunk: bytes, lost_kills: int = 0) -> None:
        self.printed = Endless(chunk)
        self.killed = False
        self._lost_kills = lost_kills
        self.attrs = {
            "Id": self.id, "Name": f"/{self.name}", "Image": "sha256:1", "Config": {"Labels": {}}, "RestartCount": 0,
            "State": {"Running": False, "Paused": False, "ExitCode": 137, "OOMKilled": False, "Error": ""},
            "NetworkSettings": {"Networks": {}}, "HostConfig": {},
        }  # fmt: skip
        self.labels: dict[str, str] = {}

    def start(self) -> None: ...

    def wait(self) -> None: ...

    def reload(self) -> None: ...

    def logs(self, **_options: bool) -> Endless:
        return self.printed

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


def _client_of(container: Talking) -> docker.DockerClient:
    images = SimpleNamespace(get=lambda _image: SimpleNamespace(attrs={"Config": {"User": "1000"}}))
    containers = SimpleNamespace(create=lambda *_names, **_options: container, get=none)
    api = SimpleNamespace(containers=lambda **_options: [])
    return cast(docker.DockerClient, SimpleNamespace(containers=containers, images=images, api=api))


def _is_killed_in_time(container: Talking) -> None:
    lines = list[str]()
    client = _client_of(container)
    spec = ContainerSpec(container.name, "sha256:1", {}, "")
    began = time.monotonic()

    status, late = Run(spec, "test", 0.1, Output(lines.append), threading.Event(), output_within_s=0.1)(client)

    assert (late, status.running, container.killed) == (True, False, True)
    assert container.printed.closed.is_set()
    assert time.monotonic() - began < 30
    assert max(map(len, lines)) < LINE_BYTES + 60


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
    client = _client_of(container)

    with pytest.raises(EngineError, match="network database not found") as refused:
        Run(ContainerSpec(container.name, "sha256:1", {}, ""), "test", 60, Output(print), threading.Event())(client)

    assert refused.value.never_began is never_began

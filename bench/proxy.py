"""Requests per second through the proxy, as a share of a bare HAProxy in the same run; and how long a switch takes.

Each proxy has a network of its own, with a backend in it that answers at once and wrk beside them, so that nothing but
127.0.0.1 is between the three. They are measured in turn, round by round, so that whatever else the machine does meets
all of them.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from orchestrator.domain.colour import Colour
from orchestrator.proxy.haproxy import HAProxy
from orchestrator.proxy.routes import AppRoute, Server
from orchestrator.proxy.runtime import Runtime
from tests.support.images import image

ROUNDS = 5
SECONDS = 4
CONNECTIONS = 64
MANY = 100
SWITCHES = 21
IMAGE = image("proxy")
STARTED_WITHIN_S = 20.0

DEFAULTS = "defaults\n    mode http\n    timeout connect 1s\n    timeout client 60s\n    timeout server 60s\n"
ANSWER = (
    DEFAULTS
    + 'frontend app\n    bind 127.0.0.1:8000\n    http-request return status 200 content-type text/plain string "ok"\n'
)
BARE = (
    DEFAULTS + "frontend public\n    bind :8080\n    default_backend app\nbackend app\n    server app 127.0.0.1:8000\n"
)
BACKEND = Server("127.0.0.1", 8000)


@dataclass(frozen=True)
class Measured:
    """Requests per second of each round, and the seconds of a switch, their median."""

    bare: list[float]
    one: list[float]
    many: list[float]
    switch_one_s: float
    switch_many_s: float

    @property
    def many_of_one(self) -> float:
        return _share(self.many, self.one)

    @property
    def many_of_bare(self) -> float:
        return _share(self.many, self.bare)

    @property
    def switch_ratio(self) -> float:
        return self.switch_many_s / self.switch_one_s

    def __str__(self) -> str:
        bare, one, many = (statistics.median(rates) for rates in (self.bare, self.one, self.many))
        return (
            f"proxy, medians of {ROUNDS} rounds with {CONNECTIONS} connections: bare {bare:,.0f} requests/s, "
            f"1 app {one:,.0f}, {MANY} apps {many:,.0f}; "
            f"switch with 1 app {self.switch_one_s * 1000:.1f} ms, with {MANY} apps {self.switch_many_s * 1000:.1f} ms"
        )


def measure() -> Measured:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        of_one, of_many = _folder(folder, "one"), _folder(folder, "many")
        one, many = HAProxy(of_one), HAProxy(of_many)
        one.prepare_files(_routes(1))
        many.prepare_files(_routes(MANY))
        pids = {
            "bare": stack.enter_context(_bare(_folder(folder, "bare"))),
            "one": stack.enter_context(_changeover(of_one)),
            "many": stack.enter_context(_changeover(of_many)),
        }
        rates: dict[str, list[float]] = {name: [] for name in pids}
        for _ in range(ROUNDS):
            for name, pid in pids.items():
                rates[name].append(_requests_per_second(pid))
        switch_one, switch_many = asyncio.run(_switches(one)), asyncio.run(_switches(many))
    return Measured(rates["bare"], rates["one"], rates["many"], switch_one, switch_many)


def _share(some: list[float], of: list[float]) -> float:
    """The median of the rounds' own shares: within a round the machine was as busy for both."""
    return statistics.median(one / other for one, other in zip(some, of, strict=True))


def _routes(count: int) -> list[AppRoute]:
    """The one that is asked is the last of them, and found by its host."""
    ways = {Colour.BLUE: BACKEND, Colour.GREEN: BACKEND}
    return [
        AppRoute(f"app-{number}", (f"app-{number}.test",), active=Colour.BLUE, servers=ways)
        for number in reversed(range(count))
    ]


def _folder(parent: str, name: str) -> Path:
    folder = Path(parent) / name
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@contextmanager
def _bare(folder: Path) -> Iterator[int]:
    (folder / "haproxy.cfg").write_text(BARE)
    with _running(folder) as pid:
        yield pid


@contextmanager
def _changeover(folder: Path) -> Iterator[int]:
    with _running(folder) as pid:
        asyncio.run(_until_up(Runtime(folder)))
        yield pid


@contextmanager
def _running(folder: Path) -> Iterator[int]:
    """HAProxy with the files of the folder, and the backend in its network; yields a process id in that network."""
    (folder / "answer.cfg").write_text(ANSWER)
    mount = ["--volume", f"{folder}:/run/changeover"]
    container = _run("docker", "run", "--detach", *mount, IMAGE)
    backend = ""
    try:
        network = ["--network", f"container:{container}"]
        command = ["haproxy", "-f", "/run/changeover/answer.cfg"]
        backend = _run("docker", "run", "--detach", *mount, *network, IMAGE, *command)
        pid = int(_run("docker", "inspect", "--format", "{{.State.Pid}}", container))
        _until_it_answers(pid)
        yield pid
    finally:
        _run("docker", "rm", "--force", *filter(None, (backend, container)))


async def _until_up(runtime: Runtime) -> None:
    deadline = time.monotonic() + STARTED_WITHIN_S
    while (await runtime.about()).get("Pid") is None:
        assert time.monotonic() < deadline, "HAProxy did not start"
        await asyncio.sleep(0.05)


def _until_it_answers(pid: int) -> None:
    deadline = time.monotonic() + STARTED_WITHIN_S
    while "Requests/sec" not in (found := _wrk(pid, seconds=1, connections=1)) or "Non-2xx" in found:
        assert time.monotonic() < deadline, found


def _requests_per_second(pid: int) -> float:
    found = _wrk(pid, seconds=SECONDS, connections=CONNECTIONS)
    assert "Non-2xx" not in found, found
    assert "Socket errors" not in found, found
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", found)
    assert rate, found
    return float(rate[1])


def _wrk(pid: int, *, seconds: int, connections: int) -> str:
    ended = subprocess.run(
        ["nsenter", "--target", str(pid), "--net", "wrk", "-t", "1", "-c", str(connections), "-d", f"{seconds}s",
         "-H", "Host: app-0.test", "http://127.0.0.1:8080/"],
        capture_output=True, text=True,
    )  # fmt: skip
    return ended.stdout + ended.stderr


async def _switches(proxy: HAProxy) -> float:
    """Seconds, the median: files written and synced, the proxy told and read back."""
    took = []
    for number in range(SWITCHES):
        began = time.monotonic()
        await proxy.switch("app-0", Colour.GREEN if number % 2 == 0 else Colour.BLUE, BACKEND)
        took.append(time.monotonic() - began)
    return statistics.median(took)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

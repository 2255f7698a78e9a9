"""How a candidate is asked whether it is ready, and what is said of its answers while there is still time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
import pytest

from orchestrator.apps import readiness
from orchestrator.apps.probe import HttpProber
from orchestrator.apps.readiness import FIRST_PAUSE_S, LONGEST_PAUSE_S, MOST_TOLD, PROGRESS_HEADER, next_pause
from orchestrator.config.app_schema import App
from orchestrator.domain.deployment import Deployment, State
from orchestrator.domain.events import EventKind
from orchestrator.engine.base import ContainerStatus
from tests.support import virtual_time
from tests.support.fakes.world import World


@dataclass
class Answering:
    """A prober that answers by itself. `asked`: the host and the path of each probe."""

    answer: Callable[[str, str], int]
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def ask(self, address: str, port: int, path: str, *, host: str) -> httpx.Response:
        self.asked.append((host, path))
        status = self.answer(host, path)
        redirect = {"location": "https://shop.test/sign-in"} if 300 <= status < 400 else {}
        return httpx.Response(status, headers=redirect)

    async def waits_for_idle_connections(self, address: str, port: int, path: str, *, host: str) -> bool:
        return False


def world(folder: Path, prober: Answering, **sections: object) -> World:
    config = {"route": {"host": "shop.test"}, "health": {"answers": 1, "timeout": 0.3}} | sections
    made = World(folder, App.model_validate(config))
    made.context = replace(made.context, prober=prober)
    made.publish()
    return made


def deployed(world: World) -> tuple[Deployment, list[str]]:
    """How the deployment ended, and the lines that were told."""
    ended = virtual_time.run(world.deploy())
    lines = [str(one.fields["line"]) for one in world.journal.events(0, ended.id) if one.kind == EventKind.LINE]
    return ended, lines


@pytest.mark.parametrize(
    ("health", "host"), [({}, "shop.test"), ({"host": "inner.test"}, "inner.test")], ids=["route", "health.host"]
)
def test_an_app_that_answers_its_own_host_alone_is_deployed(
    tmp_path: Path, health: dict[str, object], host: str
) -> None:
    """Django answers another `Host` than those of ALLOWED_HOSTS with status 400."""
    django = Answering(lambda asked, _path: 200 if asked == host else 400)

    ended, _ = deployed(world(tmp_path, django, health={"answers": 1, "timeout": 0.3} | health))

    assert ended.state is State.LIVE, ended.failure
    assert {asked for asked, _ in django.asked} == {host}


@dataclass
class Progressing(Answering):
    """Never ready, and says something new each time."""

    header: str = PROGRESS_HEADER

    async def ask(self, address: str, port: int, path: str, *, host: str) -> httpx.Response:
        self.asked.append((host, path))
        return httpx.Response(302 if self.header == "location" else 503, headers={self.header: f"/{len(self.asked)}"})


@pytest.mark.parametrize("header", [PROGRESS_HEADER, "location"])
def test_an_app_that_reports_progress_for_ever_ends_and_says_no_more_than_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    """Its deployment had no end, with requests paused if it had an incompatible migration."""
    monkeypatch.setattr(readiness, "LONGEST_S", 600.0)
    app = world(tmp_path, Progressing(lambda *_: 503, header=header), health={"path": "/ok", "timeout": 500})

    ended, lines = deployed(app)

    assert ended.state is State.FAILED
    assert len(lines) <= MOST_TOLD + 20
    if header == PROGRESS_HEADER:
        assert ended.failure is not None
        assert "was not ready within 600 s" in ended.failure.cause


async def test_the_probe_of_a_container_has_the_host_that_it_is_given() -> None:
    async with heads() as (port, received):
        await HttpProber().ask("127.0.0.1", port, "/readyz", host="shop.test")

    assert b"\r\nhost: shop.test\r\n" in received[0].lower()
    assert received[0].lower().count(b"\r\nhost:") == 1


@asynccontextmanager
async def heads() -> AsyncIterator[tuple[int, list[bytes]]]:
    """A server that keeps the heads of requests."""
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1], received


@pytest.mark.parametrize(("statuses", "path"), [({"/readyz": 200}, "/readyz"), ({"/readyz": 404, "/": 302}, "/")])
def test_the_path_that_was_used_is_named(tmp_path: Path, statuses: dict[str, int], path: str) -> None:
    _, lines = deployed(world(tmp_path, Answering(lambda _host, asked: statuses[asked])))

    (ready,) = [line for line in lines if line.startswith("ready after")]
    assert ready.endswith(f"good answers in a row from {path}")


def test_an_answer_that_does_not_count_is_explained_at_once_and_may_still_change(tmp_path: Path) -> None:
    statuses = iter([503, 301, 301])
    app = Answering(lambda _host, _path: next(statuses, 200))

    ended, lines = deployed(world(tmp_path, app, health={"path": "/health", "answers": 1, "timeout": 60}))

    assert ended.state is State.LIVE, ended.failure
    assert [line for line in lines if line.startswith("not ready yet")] == [
        "not ready yet: /health answered with status 503 instead of 200 to 299 (health.path)",
        "not ready yet: /health answered with status 301, a redirect to https://shop.test/sign-in, instead of 200 to "
        "299 (health.path)",
    ]


def test_what_it_answered_last_is_the_reason_of_the_failure(tmp_path: Path) -> None:
    ended, _ = deployed(world(tmp_path, Answering(lambda _host, _path: 302), health={"path": "/", "timeout": 0.3}))

    assert ended.failure is not None
    assert "/ answered with status 302, a redirect to https://shop.test/sign-in" in ended.failure.cause
    # The log stands above the tip, which sends nobody to look for it.
    assert ended.failure.log
    assert "log" not in ended.failure.tip


def test_an_app_that_answers_badly_all_the_time_is_not_told_to_take_more_of_it(tmp_path: Path) -> None:
    ended, _ = deployed(world(tmp_path, Answering(lambda *_: 500)))

    assert ended.failure is not None
    assert ended.failure.tip.startswith("Correct what it answers at /readyz, or set health.path of shop")


def test_an_app_that_does_not_answer_in_time_is_not_only_given_more_of_it(tmp_path: Path) -> None:
    silent = world(tmp_path, Answering(lambda *_: 200))
    silent.context = replace(silent.context, prober=Silent(lambda *_: 200))

    ended, _ = deployed(silent)

    assert ended.failure is not None
    assert ended.failure.tip == (
        "Let the app answer at /readyz within 2 s, or set health.path of shop to a path that it answers sooner. "
        "If it only starts slowly, raise health.timeout of shop."
    )


class Silent(Answering):
    async def ask(self, address: str, port: int, path: str, *, host: str) -> httpx.Response:
        raise httpx.ReadTimeout("no answer")


@dataclass
class Foreign(Answering):
    """Raises what a client of HTTP says of a server of another protocol, or of a slow one."""

    error: httpx.HTTPError = field(default_factory=lambda: httpx.HTTPError(""))

    async def ask(self, address: str, port: int, path: str, *, host: str) -> httpx.Response:
        raise self.error


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (httpx.RemoteProtocolError("illegal status line"), "Let the app answer plain HTTP at port 8000; HTTPS and"),
        (httpx.RemoteProtocolError("Server disconnected"), "Let the app answer plain HTTP at port 8000; HTTPS and"),
        (httpx.ReadTimeout("the answer was not complete within 2 s"), "Let the app answer at /readyz within 2 s"),
    ],
)
def test_an_app_that_accepts_connections_and_does_not_answer_is_told_so_at_once_and_at_the_end(
    tmp_path: Path, error: httpx.HTTPError, remedy: str
) -> None:
    """HTTPS, Redis, an endless answer: more time alone was advised."""
    ended, lines = deployed(world(tmp_path, Foreign(lambda *_: 0, error=error)))

    assert lines.count(f"not ready yet: no answer ({error})") == 1
    assert ended.failure is not None
    assert str(error) in ended.failure.cause
    assert ended.failure.tip.startswith(remedy)


def test_a_pause_between_probes_is_a_tenth_of_the_time_that_has_passed() -> None:
    """Half of the last pause is lost, in the mean, before a release gets its traffic."""
    waited, pause = 0.0, FIRST_PAUSE_S
    while waited < 60:
        assert pause <= FIRST_PAUSE_S + waited / 10 + 1e-9
        waited += pause
        assert pause <= next_pause(pause) <= LONGEST_PAUSE_S
        pause = next_pause(pause)
    assert pause == LONGEST_PAUSE_S


def test_a_healthcheck_that_never_succeeds_is_shown_with_what_it_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image has it from its base image, which asks another server. More time does not help."""
    prober = Answering(lambda _host, _path: 200)
    app = world(tmp_path, prober, health={"answers": 1, "timeout": 60})
    status = app.engine.status

    async def starting(name: str) -> ContainerStatus | None:
        found = await status(name)
        return found and replace(found, health="starting", health_log=("curl: nothing at port 8090",))

    monkeypatch.setattr(app.engine, "status", starting)

    ended, _ = deployed(app)

    assert ended.failure is not None
    assert "it answers, but Docker's HEALTHCHECK has not succeeded yet" in ended.failure.cause
    assert ended.failure.log == ("the app's log", "curl: nothing at port 8090")
    assert "HEALTHCHECK NONE" in ended.failure.tip
    assert len(prober.asked) < 60 / LONGEST_PAUSE_S + 80, "it is asked less and less often, as one that is not ready"

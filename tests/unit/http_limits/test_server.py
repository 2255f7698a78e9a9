from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette

from http_limits import server
from http_limits.server import QuietServer


@pytest.fixture
def no_tick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TICK_S", 3600)


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[QuietServer, asyncio.Task[None]]]:
    quiet = QuietServer(uvicorn.Config(Starlette(), port=0, log_level="critical", lifespan="off"))
    task = asyncio.create_task(quiet.serve())
    while not quiet.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.01)
    try:
        yield quiet, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_it_ends_when_it_is_told_to_although_it_sleeps(no_tick: None) -> None:
    async with serving() as (quiet, task), asyncio.timeout(30):
        quiet.should_exit = True
        await task


async def test_one_that_is_told_to_end_before_it_serves_ends(no_tick: None) -> None:
    quiet = QuietServer(uvicorn.Config(Starlette(), port=0, log_level="critical", lifespan="off"))
    quiet.should_exit = True
    async with asyncio.timeout(30):
        await quiet.serve()


async def test_the_date_of_its_answers_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "TICK_S", 0.01)
    async with serving() as (quiet, _), httpx.AsyncClient() as client, asyncio.timeout(30):
        port = quiet.servers[0].sockets[0].getsockname()[1]
        dates: set[str] = set()
        while len(dates) < 2:
            dates.add((await client.get(f"http://127.0.0.1:{port}/")).headers["date"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_process_whose_server_sleeps(number: signal.Signals) -> None:
    program = """
        import uvicorn
        from starlette.applications import Starlette
        from http_limits import server

        async def started():
            print("serves", flush=True)

        server.TICK_S = 3600
        config = uvicorn.Config(
            Starlette(), port=0, log_level="critical", callback_notify=started, timeout_notify=0,
        )
        server.run(config)
        print("ended", flush=True)
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "serves\n"
        process.send_signal(number)
        rest, _ = process.communicate(timeout=30)
    # uvicorn raises the signal again when it has ended in order.
    assert process.returncode == (0 if number == signal.SIGINT else -signal.SIGTERM)
    assert ("ended" in rest) == (number == signal.SIGINT)


def test_a_server_that_cannot_start_ends_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        server.run(uvicorn.Config(Starlette(), port=taken.getsockname()[1], log_level="critical"))
    assert ended.value.code not in (0, None)

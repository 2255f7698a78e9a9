"""What runs in the image around a package, as a process: it becomes the command, and makes it reachable."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from orchestrator.package_image import reach
from tests.support.addresses import free_port
from tests.support.package_index import SERVER
from tests.support.paths import ROOT

REACH = ROOT / "orchestrator" / "package_image" / "reach.py"


@contextmanager
def started(folder: Path, listens_on: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    program = folder / "server.py"
    program.write_text(SERVER.replace("VERSION", "1.0").replace("ADDRESS", listens_on) + "\nmain()\n")
    command = [sys.executable, "-I", str(REACH), sys.executable, str(program)]
    process = subprocess.Popen(
        command, env={**os.environ, "CHANGEOVER_PORT": str(port)}, start_new_session=True, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def answer_of(address: str, port: int) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            return str(httpx.get(f"http://{address}:{port}/", timeout=30).json()["release"])
        except httpx.TransportError:
            assert time.monotonic() < deadline, f"{address}:{port} does not answer"
            time.sleep(0.05)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers when its client has sent all."""
    writer.write(await reader.read())
    writer.close()


async def test_a_command_that_listens_on_127_0_0_1_alone_is_reached_from_outside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reach, "own_addresses", lambda: ["127.0.0.2"])
    port, sent = free_port(), secrets.token_bytes(3_000_000)
    relaying = asyncio.create_task(reach.relay(port))
    await asyncio.sleep(2 * reach.LOOK_S)
    async with await asyncio.start_server(echo, "127.0.0.1", port):
        async with asyncio.timeout(60):
            reader, writer = await opened("127.0.0.2", port)
            writer.write(sent)
            writer.write_eof()
            assert await reader.read() == sent
            writer.close()
    relaying.cancel()


async def test_an_answer_that_comes_long_after_the_end_of_the_request_comes_whole(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reach, "own_addresses", lambda: ["127.0.0.2"])
    port, asked, goes_on = free_port(), asyncio.Event(), asyncio.Event()

    async def thinks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        asked.set()
        await goes_on.wait()
        writer.write(b"the answer")
        writer.close()

    relaying = asyncio.create_task(reach.relay(port))
    async with await asyncio.start_server(thinks, "127.0.0.1", port), asyncio.timeout(60):
        reader, writer = await opened("127.0.0.2", port)
        writer.write_eof()
        await asked.wait()
        gc.collect()
        goes_on.set()
        assert await reader.read() == b"the answer"
        writer.close()
    relaying.cancel()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "127.0.0.3"])
async def test_a_command_that_others_reach_is_left_alone(address: str) -> None:
    async with await asyncio.start_server(echo, address, port := free_port()), asyncio.timeout(60):
        await reach.relay(port)


async def opened(address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    while True:
        try:
            return await asyncio.open_connection(address, port)
        except OSError:
            await asyncio.sleep(0.01)


def test_it_becomes_the_command(tmp_path: Path) -> None:
    """So a signal of the engine reaches the command, and its exit code is the container's."""
    port = free_port()
    with started(tmp_path, "127.0.0.1", port) as process:
        answer_of("127.0.0.1", port)
        assert b"server.py" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert b"reach.py" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()


def test_a_command_that_does_not_exist_is_named() -> None:
    ended = subprocess.run([sys.executable, "-I", str(REACH), "no-such-command"], capture_output=True, text=True)

    assert (ended.returncode, ended.stderr) == (1, "no-such-command cannot be started: No such file or directory\n")

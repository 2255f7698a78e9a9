"""The relay to the engine's socket passes everything on, and ends when the socket is that of an engine that is gone."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from orchestrator.engine.relay import EngineAway, Relay

MUCH = b"x" * 3_000_000


async def engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers when the asking has ended, as a build or an exec does."""
    asked = await reader.read(-1)
    writer.write(str(len(asked)).encode() + b":" + asked)
    await writer.drain()
    writer.close()


@asynccontextmanager
async def relayed(
    folder: Path, engine: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]] = engine
) -> AsyncIterator[tuple[asyncio.Task[None], asyncio.Server]]:
    server = await asyncio.start_unix_server(engine, folder / "engine")
    task = asyncio.create_task(Relay(folder / "engine").serve(folder / "own"))
    for _ in range(1000):
        if (folder / "own").exists():
            break
        await asyncio.sleep(0.005)
    try:
        yield task, server
    finally:
        server.close()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, EngineAway):
            await task


async def test_what_is_asked_and_answered_passes_whole_and_an_end_of_one_direction_ends_no_other(
    tmp_path: Path,
) -> None:
    async with relayed(tmp_path):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "own")
        writer.write(MUCH)
        writer.write_eof()
        answer = await reader.read(-1)
        writer.close()

    assert answer == str(len(MUCH)).encode() + b":" + MUCH


async def test_an_answer_that_comes_long_after_the_end_of_what_was_asked_comes_whole(tmp_path: Path) -> None:
    """As that of `run --stdin`: only the loop waits for the engine meanwhile, which holds no task."""
    goes_on = asyncio.Event()

    async def thinks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        asked.set()
        await goes_on.wait()
        writer.write(b"the answer")
        writer.close()

    asked = asyncio.Event()
    async with relayed(tmp_path, thinks):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "own")
        writer.write(b"asked")
        writer.write_eof()
        await asyncio.wait_for(asked.wait(), 10)
        gc.collect()
        goes_on.set()
        answer = await asyncio.wait_for(reader.read(-1), 10)
        writer.close()

    assert answer == b"the answer"


async def test_only_root_may_use_it(tmp_path: Path) -> None:
    async with relayed(tmp_path):
        assert stat.S_IMODE((tmp_path / "own").stat().st_mode) == 0o600


async def test_it_ends_when_the_engine_is_gone_so_that_it_is_started_with_the_new_socket(tmp_path: Path) -> None:
    async with relayed(tmp_path) as (task, server):
        hanging = await asyncio.open_unix_connection(tmp_path / "own")
        hanging[1].write(b"never ended")
        server.close()
        reader, writer = await asyncio.open_unix_connection(tmp_path / "own")

        with pytest.raises(EngineAway, match="Nobody answers"):
            await asyncio.wait_for(asyncio.shield(task), 5)

        assert await reader.read(-1) == b""
        for one in (writer, hanging[1]):
            one.close()


async def test_who_stops_reading_a_stream_ends_both_connections_without_an_error(tmp_path: Path) -> None:
    """As a reader of events or of a log does."""
    errors: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context["message"]))
    ended = asyncio.Event()

    async def stream(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0)
        ended.set()

    async with relayed(tmp_path, stream):
        for _ in range(20):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "own")
            await reader.readexactly(10)
            ended.clear()
            writer.get_extra_info("socket").shutdown(socket.SHUT_RD)
            await asyncio.wait_for(ended.wait(), 10)
            writer.close()

    assert errors == []

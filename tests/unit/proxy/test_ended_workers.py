"""Commands to a worker that ends at that moment: HAProxy's master never answers them, the worker loses them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.errors import ProxyError
from orchestrator.proxy.runtime import MOST_LOST, CommandSocket, Worker

LISTING = "#<PID> <type>\n1 master\n# workers\n12 worker 0\n# old workers\n{old}# programs\n"


@pytest.mark.parametrize("listed", [True, False])
async def test_a_command_that_is_not_answered_is_no_error_if_its_worker_has_ended(tmp_path: Path, listed: bool) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if b"show proc" in await reader.read():
            writer.write(LISTING.format(old="8 worker 1\n" if listed else "").encode())
            writer.close()

    async with await asyncio.start_unix_server(answer, tmp_path / "master.sock"):
        worker = Worker(CommandSocket(tmp_path / "master.sock", is_master=True), 8)
        if listed:
            with pytest.raises(ProxyError, match="does not answer"):
                await worker.ask("show sess all")
        else:
            assert await worker.ask("show sess all") == ""


@pytest.mark.parametrize("lost", [0, 1, 2, 3])
async def test_a_command_that_the_ending_worker_has_lost_is_sent_to_the_next_one(tmp_path: Path, lost: int) -> None:
    """The socket is that of the worker before until a reload has ended."""
    asked: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        if len(asked) > lost:
            writer.write(b"Version: 3.0\n\n")
        writer.close()

    async with await asyncio.start_unix_server(answer, tmp_path / "admin.sock"):
        worker = Worker(CommandSocket(tmp_path / "admin.sock"))
        if lost > MOST_LOST:
            with pytest.raises(ProxyError, match="does not answer on admin"):
                await worker.about()
        else:
            assert (await worker.about())["Version"] == "3.0"

    assert asked == [b"show info\n"] * min(lost + 1, MOST_LOST + 1)


async def test_many_commands_at_once_are_all_answered_by_a_worker_that_takes_ten_connections(tmp_path: Path) -> None:
    """Twelve apps that are deployed at the same time ask so."""
    connected = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        if connected <= 10:
            await reader.readline()
            await asyncio.sleep(0.01)
            writer.write(b"Version: 3.0\n\n")
        connected -= 1
        writer.close()

    async with await asyncio.start_unix_server(answer, tmp_path / "admin.sock"):
        worker = Worker(CommandSocket(tmp_path / "admin.sock"))
        answers = await asyncio.gather(*(worker.about() for _ in range(50)))

    assert answers == [{"Version": "3.0"}] * 50

"""Commands to a worker from before a reload that ends at that moment: HAProxy's master never answers them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.errors import ProxyError
from orchestrator.proxy.runtime import CommandSocket, Worker

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

"""A worker of HAProxy that is kept from ending after a reload, until what it has counted is read.

A worker ends with its last connection, and its counters with it. One of ours that waits for events of a ring which has
none is such a connection (HAProxy 3.0 management guide, section 9.3, `show events`).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from orchestrator.errors import ProxyError

COMMAND = b"show events buf0 -wn\n"
"""Of HAProxy's own ring for traces, of which Changeover makes none."""


class Hold:
    """An open connection to one worker."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @property
    def is_over(self) -> bool:
        """Whether the worker has ended."""
        return self._reader.at_eof() or self._writer.is_closing()

    def end(self) -> None:
        self._writer.close()


async def hold(socket: Path) -> Hold:
    """Hold the worker that takes new connections. Raises ProxyError."""
    try:
        reader, writer = await asyncio.open_unix_connection(socket)
    except OSError as error:
        raise ProxyError(f"The proxy does not answer on {socket.name}: {error.strerror or error}.") from error
    writer.write(COMMAND)
    return Hold(reader, writer)

"""What a one-off command prints, on its way from the engine's threads to the reader of the answer."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import AsyncIterator
from enum import StrEnum
from typing import Any

from border.lines import CutLine
from orchestrator.host.output import Note

MOST_SHOWN = 64
"""So many chunks of bytes, of at most 16 kB each, wait for a slow reader; then the command waits."""
LOOK_S = 0.2


class Form(StrEnum):
    """Of a command's output: plain lines within limits, or its standard output byte for byte."""

    LINES = "lines"
    BYTES = "bytes"


class CommandOutput:
    """What a command prints, on its way to its reader. Lines are limited by host/output.py, bytes by their reader:
    `show`, in a thread of the engine, waits while MOST_SHOWN chunks wait. After `let_go` it drops the rest.
    """

    def __init__(self, *, in_bytes: bool = False) -> None:
        self._in_bytes = in_bytes
        self._arrived: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()
        self._room = threading.Semaphore(MOST_SHOWN)
        self._waits = True
        self._left = False
        self.is_whole = False
        """Whether the reader has been given everything, to the end."""

    def add(self, line: str | None) -> None:
        """A line; None at the end. On the event loop."""
        self._arrived.put_nowait(line)

    def show(self, chunk: bytes) -> None:
        has_room = self._room.acquire(blocking=False)
        while not has_room and self._waits:
            has_room = self._room.acquire(timeout=LOOK_S)
        if has_room and not self._left:
            self._loop.call_soon_threadsafe(self._arrived.put_nowait, chunk)

    def let_go(self) -> None:
        """The command is being ended: nothing waits for a slow reader any more."""
        self._waits = False

    def leave(self) -> None:
        """Nobody reads any more."""
        self._left = True
        self.let_go()

    async def pieces(self) -> AsyncIterator[dict[str, Any]]:  # Any: JSON
        """Each value for the reader, to the end."""
        while (piece := await self._arrived.get()) is not None:
            if isinstance(piece, str):
                yield {"error": piece} if self._in_bytes else _line_piece(piece)
            else:
                self._room.release()
                yield {"output": base64.b64encode(piece).decode()}
        self.is_whole = True


def _line_piece(line: str) -> dict[str, Any]:  # Any: JSON
    said = {"note": True} if isinstance(line, Note) else {"cut": True} if isinstance(line, CutLine) else {}
    return {"line": line} | said

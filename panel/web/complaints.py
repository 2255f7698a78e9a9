"""The standard error of a process: passed on to the server's own, and its end kept, to say why the process failed."""

from __future__ import annotations

import asyncio
import sys

KEPT_BYTES = 20_000


class Complaints:
    def __init__(self) -> None:
        self._kept = b""

    def __str__(self) -> str:
        return self._kept.decode(errors="replace")

    async def listen(self, stderr: asyncio.StreamReader) -> None:
        """Until the process has ended."""
        while chunk := await stderr.read(4096):
            self._kept = (self._kept + chunk)[-KEPT_BYTES:]
            sys.stderr.buffer.write(chunk)
            sys.stderr.flush()

"""The standard input of a container's process: written while its output is read, then ended."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from orchestrator.engine.docker.upgraded import Upgraded


@contextmanager
def fed(connection: Upgraded, content: bytes) -> Iterator[None]:
    """Write `content` to a connection of Docker's `attach` or `exec`, in a thread, and end the input after it.

    The process may read nothing, or end before it has read all of it. The connection is closed with the block, which
    ends the thread.
    """

    def write() -> None:
        with suppress(OSError):  # it ended, and whatever it did not read is of no use to anybody
            connection.write(content)
            connection.end_input()

    threading.Thread(target=write, name="docker-stdin", daemon=True).start()
    try:
        yield
    finally:
        connection.close()

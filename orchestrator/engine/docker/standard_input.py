"""The standard input of a container's process: written while its output is read, then ended."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


@contextmanager
def fed(connection: Any, content: bytes) -> Iterator[None]:  # Any: docker-py's socket.SocketIO has no stub
    """Write `content` to a connection of Docker's `attach` or `exec`, in a thread, and end the input after it.

    The process may read nothing, or end before it has read all of it. The connection is closed with the block, which
    ends the thread.
    """
    own: socket.socket = connection._sock  # docker-py itself writes to it in this way; there is no other one
    own.settimeout(None)  # a command may be silent for hours

    def write() -> None:
        with suppress(OSError):  # it ended, and whatever it did not read is of no use to anybody
            own.sendall(content)
            own.shutdown(socket.SHUT_WR)

    threading.Thread(target=write, name="docker-stdin", daemon=True).start()
    try:
        yield
    finally:
        with suppress(OSError):
            own.shutdown(socket.SHUT_RDWR)
        connection.close()

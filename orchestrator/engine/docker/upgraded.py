"""A connection that Docker has taken over from HTTP: of its `attach` or `exec`."""

from __future__ import annotations

import io
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from urllib3.exceptions import ProtocolError

from orchestrator.errors import EngineError

CHUNK = 16 * 1024
STDOUT, STDERR = 1, 2
_HEAD = struct.Struct(">BxxxL")
"""Before each piece of output without a terminal: the stream that it belongs to, and its size in bytes."""
_BROKEN = "the connection to the command's output broke"


def broken_off(error: OSError | ProtocolError) -> EngineError:
    """What is told instead of the exit code of a command whose output is not whole."""
    return EngineError(
        f"The output of the command broke off: {error}.", "Do not use what it printed. Run the command again."
    )


class Upgraded:
    """Read in one thread, written to in another one.

    docker-py hands out the bare socket. What arrived in one piece with the head of Docker's answer is in the buffer of
    the reader of that head, and whoever reads the socket loses it: https://github.com/docker/docker-py/issues/2042.
    """

    def __init__(self, connection: Any) -> None:  # Any: docker-py's socket.SocketIO has no stub
        self._connection = connection
        self._response = connection._response
        # docker-py itself reaches for these; it offers no other way.
        self._reader: io.BufferedReader = self._response.raw._fp.fp
        self._socket: socket.socket = connection._sock
        self._socket.settimeout(None)  # a command may be silent for hours, and a person may think for hours

    def chunks(self) -> Iterator[bytes]:
        """What the process shows on a terminal, until it ends. Raises OSError when the connection breaks."""
        while chunk := self._reader.read1(CHUNK):
            yield chunk

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """What the process prints without a terminal, until it ends: the stream, STDOUT or STDERR, and its bytes.

        Raises OSError when the connection breaks, also in the middle of a piece.
        """
        while head := self._reader.read(_HEAD.size):
            if len(head) < _HEAD.size:
                raise ConnectionResetError(_BROKEN)
            stream, left = _HEAD.unpack(head)
            while left:
                if not (chunk := self._reader.read1(min(left, CHUNK))):
                    raise ConnectionResetError(_BROKEN)
                left -= len(chunk)
                yield stream, chunk

    def write(self, content: bytes) -> None:
        """Raises OSError when the process has ended."""
        self._socket.sendall(content)

    def end_input(self) -> None:
        """Raises OSError when the process has ended."""
        self._socket.shutdown(socket.SHUT_WR)

    def end(self) -> None:
        """Whoever reads finds the end of the output. In any thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """In the thread that reads, if there is one."""
        self.end()
        # First: an answer whose connection is closed before it cannot be closed any more, and Python prints a traceback
        # when it throws it away.
        self._response.close()
        self._connection.close()

"""The connection of a terminal to a process in a container, by Docker's `attach` or `exec`."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from docker.errors import DockerException
from requests.exceptions import RequestException

from orchestrator.engine.terminal import Size, Terminal

CHUNK = 16 * 1024


class Window:
    """What the process writes, chunk by chunk, until it ends; meanwhile a thread writes what a person types.

    Iterated in one thread, once, when the process runs; `close`, in any other one, ends that.
    """

    def __init__(
        self, connection: Any, terminal: Terminal, resize: Callable[[Size], object]
    ) -> None:  # Any: docker-py's socket.SocketIO has no stub
        self._connection = connection
        self._own: socket.socket = connection._sock  # docker-py itself uses it in this way; there is no other one
        self._own.settimeout(None)  # a person may think for hours
        self._terminal = terminal
        self._resize = resize

    def __iter__(self) -> Iterator[bytes]:
        threading.Thread(target=self._type, name="docker-terminal", daemon=True).start()
        try:
            while chunk := self._own.recv(CHUNK):
                yield chunk
        except ConnectionResetError:
            return
        finally:
            self.close()

    def close(self) -> None:
        with suppress(OSError):
            self._own.shutdown(socket.SHUT_RDWR)
        self._connection.close()
        self._terminal.hang_up()

    def _type(self) -> None:
        keys: bytes | Size | None = self._terminal.size
        while keys is not None:
            # The process may end at any moment: what it does not read is of no use to anybody.
            if isinstance(keys, Size):
                with suppress(DockerException, RequestException):
                    self._resize(keys)
            else:
                try:
                    self._own.sendall(keys)
                except OSError:
                    return
            keys = self._terminal.typed.get()

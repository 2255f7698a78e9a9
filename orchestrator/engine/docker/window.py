"""The connection of a terminal to a process in a container, by Docker's `attach` or `exec`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

from docker.errors import DockerException
from requests.exceptions import RequestException

from orchestrator.engine.docker.upgraded import Upgraded
from orchestrator.engine.terminal import Size, Terminal


class Window:
    """What the process writes, chunk by chunk, until it ends; meanwhile a thread writes what a person types.

    Iterated in one thread, once, when the process runs; `close`, in any other one, ends that.
    """

    def __init__(self, connection: Upgraded, terminal: Terminal, resize: Callable[[Size], object]) -> None:
        self._connection = connection
        self._terminal = terminal
        self._resize = resize

    def __iter__(self) -> Iterator[bytes]:
        threading.Thread(target=self._type, name="docker-terminal", daemon=True).start()
        try:
            yield from self._connection.chunks()
        except ConnectionResetError:
            return
        finally:
            self.close()
            self._connection.close()

    def close(self) -> None:
        self._connection.end()
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
                    self._connection.write(keys)
                except OSError:
                    return
            keys = self._terminal.typed.get()

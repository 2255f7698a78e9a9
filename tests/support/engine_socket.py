"""An engine that goes away, without taking the machine's own engine away from everybody else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class EngineSocket:
    """A socket that passes on to Docker's and can be closed: for the orchestrator an engine that goes away."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: set[socket.socket] = set()
        self._listener: socket.socket | None = None
        self.open()

    def open(self) -> None:
        self._listener = listener = socket.socket(socket.AF_UNIX)
        self.path.unlink(missing_ok=True)
        listener.bind(str(self.path))
        listener.listen(64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def close(self) -> None:
        self.path.unlink(missing_ok=True)
        for one in [self._listener, *tuple(self._open)]:
            if one:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        self._open.clear()

    def cut(self) -> None:
        """What is connected is cut, and who connects is let in: an engine that is restarted at once, on a socket that
        systemd keeps for it."""
        for one in tuple(self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    @contextmanager
    def closed(self) -> Iterator[None]:
        self.close()
        try:
            yield
        finally:
            self.open()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            engine = socket.socket(socket.AF_UNIX)
            engine.connect("/var/run/docker.sock")
            self._open |= {client, engine}
            threading.Thread(target=self._connect, args=(client, engine), daemon=True).start()

    def _connect(self, client: socket.socket, engine: socket.socket) -> None:
        """Both ways, until both have ended."""
        back = threading.Thread(target=self._pass_on, args=(engine, client), daemon=True)
        back.start()
        self._pass_on(client, engine)
        back.join()
        for one in (client, engine):
            self._open.discard(one)
            one.close()

    @staticmethod
    def _pass_on(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
        except OSError:
            # Who does not listen any more must not keep the other talking.
            with suppress(OSError):
                source.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

"""A relay in front of a server on 127.0.0.1 that counts the requests that wait for their answer at the same time."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from urllib.parse import urlsplit

AWAY_S = 0.02
"""How long an answer is on its way, so that requests that are not made in turn meet."""
PIECE = 2**16


class CountingRelay:
    """Passes connections on to the server at `url`. `most`: so many requests waited at the same time, since `forget`;
    `requests`: all of them. One connection has one request at a time."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._server = (str(address.hostname), int(address.port or 0))
        self._listens = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.host = f"127.0.0.1:{self._listens.getsockname()[1]}"
        self.url = f"{address.scheme}://{self.host}{address.path}"
        self.most = self.requests = self._waiting = 0
        self._turn = threading.Lock()

    def __enter__(self) -> CountingRelay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # A thread that waits in accept is not woken by a close alone (accept(2)).
        with suppress(OSError):
            self._listens.shutdown(socket.SHUT_RDWR)
        self._listens.close()

    def forget(self) -> None:
        with self._turn:
            self.most, self.requests = self._waiting, 0

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listens.accept()
                server = socket.create_connection(self._server)
            except OSError:
                return
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            asked = threading.Event()
            threading.Thread(target=self._ask, args=(client, server, asked), daemon=True).start()
            threading.Thread(target=self._answer, args=(server, client, asked), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket, asked: threading.Event) -> None:
        with suppress(OSError):
            while piece := client.recv(PIECE):
                if not asked.is_set():
                    asked.set()
                    with self._turn:
                        self._waiting += 1
                        self.requests += 1
                        self.most = max(self.most, self._waiting)
                server.sendall(piece)
        self._ended(asked)
        with suppress(OSError):
            server.shutdown(socket.SHUT_WR)

    def _answer(self, server: socket.socket, client: socket.socket, asked: threading.Event) -> None:
        with suppress(OSError):
            while piece := server.recv(PIECE):
                if asked.is_set():
                    time.sleep(AWAY_S)
                    # Before the client has it: then it may ask again.
                    self._ended(asked)
                client.sendall(piece)
        self._ended(asked)
        server.close()
        with suppress(OSError):
            client.shutdown(socket.SHUT_WR)
        client.close()

    def _ended(self, asked: threading.Event) -> None:
        with self._turn:
            if asked.is_set():
                asked.clear()
                self._waiting -= 1

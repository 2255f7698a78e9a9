"""A server of a few threads with a short queue of connections, in a process of its own; and bursts of clients.

`python tests/support/small_server.py ADDRESS BACKLOG THREADS NAME CRASHES KEEPS`: one request per connection, 5 ms of
work each. The first CRASHES requests are read and never answered: their connections are closed, as by a crash. With
KEEPS, a thread serves the requests of one connection until that is closed.
"""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from types import TracebackType

WORK_S = 0.005
CLIENT_LIMIT_S = 30.0


class SmallServer:
    """Answers with its name, and with how many requests it has worked on at the same time at most: `NAME MOST`."""

    def __init__(
        self, name: str, address: str, backlog: int = 128, threads: int = 1, crashes: int = 0, *, keeps: bool = False
    ) -> None:
        self.address = address
        arguments = [address, str(backlog), str(threads), name, str(crashes), "keeps" if keeps else ""]
        self._process = subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> SmallServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


async def burst(size: int, address: str, port: int, path: str = "/") -> Counter[str]:
    """As many new connections at once, with one request each: how often each body, status or error came."""
    return Counter(await asyncio.gather(*(_one(address, port, path) for _ in range(size))))


async def _one(address: str, port: int, path: str) -> str:
    try:
        async with asyncio.timeout(CLIENT_LIMIT_S):
            reader, writer = await asyncio.open_connection(address, port)
            writer.write(f"GET {path} HTTP/1.1\r\nhost: other.test\r\nconnection: close\r\n\r\n".encode())
            answer = await reader.read()
            writer.close()
    except (OSError, TimeoutError) as error:
        return type(error).__name__
    head, _, body = answer.decode().partition("\r\n\r\n")
    status = head.split(" ")[1] if " " in head else "no answer"
    return body.split(" ")[0] if status == "200" else status


class _Served:
    def __init__(self, crashes: int) -> None:
        self.crashes, self.now, self.most, self.lock = crashes, 0, 0, threading.Lock()


def _serve(listener: socket.socket, name: str, served: _Served, *, keeps: bool) -> None:
    while True:
        connection, _ = listener.accept()
        with connection, suppress(OSError):
            while _answered(connection, name, served, keeps=keeps):
                continue


def _answered(connection: socket.socket, name: str, served: _Served, *, keeps: bool) -> bool:
    """Serve one request. Whether the connection is kept for the next one."""
    request = connection.recv(65536)
    if not request:
        return False
    with served.lock:
        served.now += 1
        served.most = max(served.most, served.now)
        crash, served.crashes = served.crashes > 0, served.crashes - 1
    time.sleep(WORK_S)
    with served.lock:
        served.now -= 1
    if crash:
        return False
    keeps = keeps and b"connection: close" not in request.lower()
    body = f"{name} {served.most}".encode()
    close = "" if keeps else "connection: close\r\n"
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {len(body)}\r\n{close}\r\n"
    connection.sendall(head.encode() + body)
    return keeps


def main() -> None:
    address, backlog, threads, name, crashes, keeps = sys.argv[1:]
    listener = socket.socket()
    listener.bind((address, 0))
    listener.listen(int(backlog))
    print(listener.getsockname()[1], flush=True)
    served = _Served(int(crashes))
    for _ in range(int(threads) - 1):
        threading.Thread(
            target=_serve, args=(listener, name, served), kwargs={"keeps": bool(keeps)}, daemon=True
        ).start()
    _serve(listener, name, served, keeps=bool(keeps))


if __name__ == "__main__":
    main()

"""Connections that a client has open while something happens behind the proxy, byte by byte."""

from __future__ import annotations

import re
import secrets
import socket

HANDSHAKE = (
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n"
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)


class Client:
    """One kept-alive connection to an app. An empty answer: the proxy closed it."""

    def __init__(self, port: int, app: str, answer_within_s: float = 10) -> None:
        self.app = app
        self._connection = socket.create_connection(("127.0.0.1", port))
        self._connection.settimeout(answer_within_s)

    def send(self, method: str, path: str, more: str = "", body: bytes = b"") -> None:
        head = f"{method} {path} HTTP/1.1\r\nhost: {self.app}.test\r\nx-forwarded-for: 6.6.6.6\r\n{more}\r\n"
        self._connection.sendall(head.encode() + body)

    def receive(self) -> str:
        """The next answer, whole if it has a length; otherwise what there is."""
        answer = ""
        try:
            while more := self._connection.recv(100_000).decode():
                answer += more
                length = re.search(r"content-length: (\d+)", answer)
                if not length or len(answer.partition("\r\n\r\n")[2]) >= int(length[1]):
                    break
        except ConnectionResetError:
            return ""
        return answer

    def ask(self, method: str = "GET", path: str = "/", more: str = "", body: bytes = b"") -> str:
        try:
            self.send(method, path, more, body)
        except (BrokenPipeError, ConnectionResetError):
            return ""
        return self.receive()

    def go_on(self, body: bytes) -> str:
        try:
            self._connection.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            return ""
        return self.receive()

    def close(self) -> None:
        self._connection.close()


class Opened:
    """What a client may have open when a reload comes: an idle connection, an upload, a stream, a WebSocket."""

    def __init__(self, port: int, app: str, answer_within_s: float = 10) -> None:
        self.app = app
        self._half = secrets.token_hex(5).encode()
        self.upload_is = (2 * self._half).decode()
        """The body of the upload, when it is finished."""
        self.idle, self.upload, self.stream, self.web_socket = (Client(port, app, answer_within_s) for _ in range(4))
        self.all = [self.idle, self.upload, self.stream, self.web_socket]
        assert app in self.idle.ask()
        self.upload.send("POST", "/", f"content-length: {len(self.upload_is)}\r\n", self._half)
        assert "200 OK" in self.stream.ask(path="/stream")
        assert "101 " in self.web_socket.ask(path="/socket", more=HANDSHAKE)

    def finish_upload(self) -> str:
        return self.upload.go_on(self._half)

    def close(self) -> None:
        for client in self.all:
            client.close()

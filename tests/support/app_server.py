"""A tiny HTTP server that stands for a container of an app: it answers with its name, in all ways that HTTP has."""

from __future__ import annotations

import base64
import hashlib
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from orchestrator.proxy.routes import Server
from tests.support.in_thread import InThread

_RFC_6455 = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """HAProxy ends its checks and idle connections with a reset."""
        if not isinstance(sys.exception(), ConnectionResetError):
            raise


class AppServer(InThread):
    """Answers with `name`, on an address that containers of this machine reach.

    GET: the name. `/headers`: the request as it arrived, with `x-large` bytes of headers and a `set-cookie` for each
    `x-set-cookie` in the answer. `/stream`: the name again and again; `/old-stream`: as HTTP/1.0, to the end of the
    connection. `/socket`: a WebSocket in its bytes only, which answers each message with the name. POST: the name,
    after the whole body was read; `written` has the bodies.
    """

    def __init__(self, name: str, address: str) -> None:
        body = name.encode()
        self.written: list[bytes] = []
        written = self.written

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                if self.path.endswith("/headers"):
                    self._headers()
                elif self.path == "/stream":
                    self._stream()
                elif self.path == "/old-stream":
                    self._old_stream()
                elif self.path == "/socket":
                    self._socket()
                else:
                    self._answer()

            def do_OPTIONS(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                written.append(self.rfile.read(int(self.headers["content-length"])))
                self._answer()

            def _answer(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.send_header("x-client", self.headers.get("x-forwarded-for", ""))
                self.end_headers()
                self.wfile.write(body)

            def _headers(self) -> None:
                text = f"{self.path}\n{self.headers}".encode()
                self.send_response(200)
                self.send_header("content-length", str(len(text)))
                for number in range(int(self.headers.get("x-large", "0")) // 1000):
                    self.send_header(f"x-large-{number}", "x" * 1000)
                for cookie in self.headers.get_all("x-set-cookie", []):
                    self.send_header("set-cookie", cookie)
                self.end_headers()
                self.wfile.write(text)

            def _stream(self) -> None:
                self.send_response(200)
                self.send_header("transfer-encoding", "chunked")
                self.end_headers()
                self.close_connection = True
                with suppress(OSError):
                    while True:
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(body), body))
                        time.sleep(0.02)

            def _old_stream(self) -> None:
                self.protocol_version = "HTTP/1.0"
                self.send_response(200)
                self.end_headers()
                self.close_connection = True
                with suppress(OSError):
                    while True:
                        self.wfile.write(body)
                        time.sleep(0.02)

            def _socket(self) -> None:
                self.send_response(101)
                self.send_header("connection", "upgrade")
                self.send_header("upgrade", "websocket")
                proof = hashlib.sha1(self.headers["sec-websocket-key"].encode() + _RFC_6455).digest()
                self.send_header("sec-websocket-accept", base64.b64encode(proof).decode())
                self.end_headers()
                self.close_connection = True
                with suppress(OSError):
                    while self.connection.recv(1000):
                        self.connection.sendall(body)

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        listener = _Listener((address, 0), Answer)
        self.server = Server(address, listener.server_address[1])
        super().__init__(listener)

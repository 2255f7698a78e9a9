"""A tiny HTTP server that stands for a container of an app: it answers with its name."""

from __future__ import annotations

import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from orchestrator.proxy.routes import Server


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """HAProxy ends its checks and idle connections with a reset."""
        if not isinstance(sys.exception(), ConnectionResetError):
            raise


class AppServer:
    """Answers every GET with `name`, on an address that containers of this machine reach."""

    def __init__(self, name: str, address: str) -> None:
        body = name.encode()

        class Answer(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_OPTIONS(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: object) -> None:
                """Nobody reads it."""

        self._server = _Listener((address, 0), Answer)
        self.server = Server(address, self._server.server_address[1])

    def __enter__(self) -> AppServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

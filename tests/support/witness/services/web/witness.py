"""An app that reports how it was built, started and asked: what tests of configuration keys deploy."""

import base64
import hashlib
import json
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import FrameType
from typing import Any

WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""RFC 6455, section 1.3."""
GOOD_BEFORE_A_BAD_ONE = 3
TAKES_TO_STOP_S = 2.0

asked: Counter[str] = Counter()
probes_before_page: list[int] = []


class Witness(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = self.path.removeprefix("/witness")
        asked[path] += 1
        if path == "/page":
            probes_before_page.append(asked["/ok"])
        if path == "/socket":
            self.accept_websocket()
        elif path == "/hang":
            time.sleep(60)
        elif path == "/never" or (path == "/ok" and asked[path] == GOOD_BEFORE_A_BAD_ONE + 1):
            self.answer(503, {"ready": False})
        else:
            self.answer(200, self.report())

    def report(self) -> dict[str, Any]:
        status = Path("/proc/self/status").read_text().splitlines()
        data = Path("/data")
        return {
            "arguments": sys.argv[1:],
            "environment": dict(os.environ),
            "user": f"{os.getuid()}:{os.getgid()}",
            "capabilities": next(line.split()[1] for line in status if line.startswith("CapBnd")),
            "written": write("/extra/new"),
            "shared": [Path("/shared/note").read_text(), write("/shared/new")] if Path("/shared").is_dir() else None,
            "hosts": {name: addresses(name) for name in ("localhost", "host.internal")},
            "interfaces": len(os.listdir("/sys/class/net")) - 1,
            "data": sorted(path.name for path in data.iterdir()) if data.is_dir() else None,
            "asked": dict(asked),
            "probes before page": probes_before_page,
        }

    def answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def accept_websocket(self) -> None:
        key = self.headers["Sec-WebSocket-Key"] + WEBSOCKET
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """The output has only what a test looks for."""


def write(path: str) -> bool:
    try:
        Path(path).write_text("written")
    except OSError:
        return False
    return True


def addresses(name: str) -> list[str]:
    try:
        return socket.gethostbyname_ex(name)[2]
    except OSError:
        return []


def stop_slowly(_signal: int, _frame: FrameType | None) -> None:
    threading.Timer(TAKES_TO_STOP_S, os._exit, [0]).start()


def begin_to_drain(_signal: int, _frame: FrameType | None) -> None:
    print("told that draining begins")


signal.signal(signal.SIGTERM, stop_slowly)
signal.signal(signal.SIGUSR1, begin_to_drain)
server = ThreadingHTTPServer(("", int(os.environ.get("PORT", "8000"))), Witness)
server.daemon_threads = True
server.serve_forever()

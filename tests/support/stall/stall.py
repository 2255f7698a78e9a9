"""A small app: it says who answers. Where it has data, no release can use the schema of another one.

`stall.py` serves; `stall.py migrate`, `status` and `down REVISION` are its migrations. A POST is kept as a line of the
data, and safe when it is answered. `/stream` never ends, `/socket` is a WebSocket in its bytes only.
"""

import base64
import hashlib
import json
import os
import signal
import sys
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = 1
KEPT = Path("/data/revision")
WRITTEN = Path("/data/written")
RFC_6455 = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WHO = json.dumps({"app": os.environ["CHANGEOVER_APP"], "release": os.environ.get("CHANGEOVER_VERSION")}).encode()


def applied() -> int:
    return int(KEPT.read_text()) if KEPT.exists() else 0


class Stall(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        match self.path:
            case "/stream":
                self.stream()
            case "/socket":
                self.socket()
            case _:
                self.answer()

    def do_POST(self) -> None:
        line = self.rfile.read(int(self.headers["content-length"])) + b"\n"
        with WRITTEN.open("ab", buffering=0) as file:
            file.write(line)
            os.fsync(file.fileno())
        self.answer()

    def answer(self) -> None:
        usable = applied() in (0, REVISION)
        body = WHO if usable else json.dumps({"problem": f"revision {applied()}, not {REVISION}"}).encode()
        self.send_response(200 if usable else 500)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def stream(self) -> None:
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):
            while True:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(WHO), WHO))
                time.sleep(0.1)

    def socket(self) -> None:
        self.send_response(101)
        self.send_header("connection", "upgrade")
        self.send_header("upgrade", "websocket")
        proof = hashlib.sha1((self.headers["sec-websocket-key"] + RFC_6455).encode()).digest()
        self.send_header("sec-websocket-accept", base64.b64encode(proof).decode())
        self.end_headers()
        self.close_connection = True
        with suppress(OSError):
            while self.connection.recv(1000):
                self.connection.sendall(WHO)

    def log_message(self, format: str, *arguments: object) -> None:
        """Quiet."""


match sys.argv[1:]:
    case ["migrate"]:
        KEPT.write_text(str(REVISION))
    case ["down", revision]:
        KEPT.write_text(revision if revision.isdecimal() else "0")
    case ["status"]:
        for number in range(1, REVISION + 1):
            report = {"revision": str(number), "previous": str(number - 1) if number > 1 else "base"}
            done = {"applied": True} if number <= applied() else {}
            print("changeover:", json.dumps(report | {"compatible": False} | done))
    case _:
        signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
        ThreadingHTTPServer(("", 8000), Stall).serve_forever()

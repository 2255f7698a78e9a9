"""A small app: it says who answers. Where it has data, no release can use the schema of another one.

`stall.py` serves; `stall.py migrate`, `status` and `down REVISION` are its migrations.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

REVISION = 1
KEPT = Path("/data/revision")


def applied() -> int:
    return int(KEPT.read_text()) if KEPT.exists() else 0


class Stall(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        usable = applied() in (0, REVISION)
        answer = {"app": os.environ["CHANGEOVER_APP"], "release": os.environ["CHANGEOVER_VERSION"]}
        body = json.dumps(answer if usable else {"problem": f"revision {applied()}, not {REVISION}"}).encode()
        self.send_response(200 if usable else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

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

"""How long `GET /v1/apps` takes with 1, 10 and 100 apps that are live."""

from __future__ import annotations

import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.support.images import image
from tests.support.repository import Repository
from tests.support.stack import Stack

COUNTS = (1, 10, 100)
ROUNDS = 50
SIDE_BY_SIDE = 4
SETTLE_S = 3.0
APP = """
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Ready(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
ThreadingHTTPServer(("", 8000), Ready).serve_forever()
"""


@dataclass(frozen=True)
class Measured:
    """Medians, in seconds, by the number of apps."""

    seconds: dict[int, float]

    def per_app(self, count: int) -> float:
        return self.seconds[count] / count

    def __str__(self) -> str:
        return "status: " + ", ".join(f"{count} apps {value * 1000:.1f} ms" for count, value in self.seconds.items())


def measure() -> Measured:
    """On a stack of its own, which gets more and more apps of one small image."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        repository = small_app(folder)
        with Stack(folder, configuration(repository.path, COUNTS[0])) as stack:
            return Measured({count: _with(stack, repository.path, count) for count in COUNTS})


def small_app(folder: Path) -> Repository:
    """A repository with an app of one small image."""
    content = folder / "content"
    content.mkdir()
    (content / "app.py").write_text(APP)
    (content / "Dockerfile").write_text(
        f'FROM {image("orchestrator")}\nHEALTHCHECK NONE\nCOPY app.py /app.py\nCMD ["python", "/app.py"]\n'
    )
    return Repository(folder / "repository", content)


def _with(stack: Stack, repository: Path, count: int) -> float:
    make_live(stack, repository, count)
    time.sleep(SETTLE_S)
    return statistics.median(_ask(stack) for _ in range(ROUNDS))


def make_live(stack: Stack, repository: Path, count: int) -> None:
    """Configure so many apps, and deploy those that are not live."""
    stack.set_config(configuration(repository, count))
    waiting = [app["name"] for app in stack.get("/apps")["apps"] if app["name"] != "panel" and not app["active"]]
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        ends = list(pool.map(stack.deploy, waiting))
    assert all(end["state"] == "live" for end in ends), [end["failure"] for end in ends if end["failure"]]


def _ask(stack: Stack) -> float:
    began = time.monotonic()
    stack.get("/apps")
    return time.monotonic() - began


def configuration(repository: Path, count: int) -> str:
    apps = "\n".join(
        f"  app{number}:\n    update: {{git: {{remote: {repository}}}, background_check: {{interval: 3600}}}}\n"
        f"    route: {{host: app{number}.test}}\n    health: {{path: /}}"
        for number in range(count)
    )
    return f"disk: {{min_free_mb: 100}}\nproxy: {{spare_backends: {COUNTS[-1]}}}\napps:\n{apps}\n"

"""A reader of the output may pause: what comes is read at once, so that no command waits for it."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.in_thread import InThread
from tests.support.paths import ROOT

PIECE = json.dumps({"output": base64.b64encode(b"x" * 12_000).decode()}).encode() + b"\n"
LINE = json.dumps({"line": "y" * 4000}).encode() + b"\n"
MANY = 1500
"""18 MB: more than the buffers of pipe and connection, and than is kept in memory."""


class Sending(ThreadingHTTPServer):
    """Sends MANY pieces, and notes when all are taken. `silent`: sends more than a pipe takes, and then nothing."""

    daemon_threads = True
    silent = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.all_taken = threading.Event()
        self.over = threading.Event()


class Handler(BaseHTTPRequestHandler):
    server: Sending

    def do_GET(self) -> None:
        self._send(LINE, b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self._send(PIECE, b'{"exit_code": 0, "late": false}\n')

    def _send(self, piece: bytes, end: bytes) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(20 if self.server.silent else MANY):
            self.wfile.write(piece)
        if self.server.silent:
            self.wfile.flush()
            self.server.over.wait()
        self.wfile.write(end)
        self.wfile.flush()
        self.server.all_taken.set()

    def log_message(self, format: str, *arguments: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Sending]:
    server = Sending()
    with InThread(server):
        yield server
        server.over.set()


def begun(server: Sending, *arguments: str) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "CHANGEOVER_URL": f"http://127.0.0.1:{server.server_address[1]}",
        "CHANGEOVER_TOKEN": "co_secret",
    }
    return subprocess.Popen(
        [sys.executable, "-m", "panel.cli", *arguments],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


EXEC = ("exec", "shop", "--", "dump")


@pytest.mark.parametrize("arguments", [EXEC, ("exec", "--json", "shop", "--", "dump"), ("logs", "shop", "--follow")])
def test_a_command_does_not_wait_for_a_reader_that_pauses_and_nothing_is_lost(
    server: Sending, arguments: tuple[str, ...]
) -> None:
    """It was ended after 30 s, and may have held a transaction until then."""
    command = begun(server, *arguments)
    assert server.all_taken.wait(60), "all is taken while nobody reads"
    out, err = command.communicate(timeout=60)

    assert (command.returncode, err) == (0, b"")
    expected = {"exec": 12_000 * MANY, "logs": 4001 * MANY}[arguments[0]]
    assert len(out) == expected if "--json" not in arguments else out.count(b"\n") == MANY + 1


def test_ctrl_c_ends_it_although_nobody_reads(server: Sending) -> None:
    command = begun(server, *EXEC)
    assert server.all_taken.wait(60)

    command.send_signal(signal.SIGINT)

    assert command.wait(10) == 130


def test_ctrl_c_ends_it_also_where_no_part_of_python_notices_the_signal(server: Sending) -> None:
    """It came to the thread that writes, or just before the event loop began to wait, and was lost: nothing came."""
    server.silent = True
    command = begun(server, *EXEC)
    assert command.stdout is not None
    command.stdout.read(1)
    other = thread_beside(command.pid)

    os.kill(other, signal.SIGINT)  # Linux lets this thread take it, of all of the process

    assert command.wait(10) == 130


def thread_beside(process: int) -> int:
    """The one that writes, as soon as the one that reads has nothing to do."""
    tasks = Path(f"/proc/{process}/task")

    def sleeps() -> bool:
        return (tasks / str(process) / "stat").read_text().rpartition(")")[2].split()[0] == "S"

    seen = 0
    while seen < 20:
        time.sleep(0.01)
        seen = seen + 1 if sleeps() else 0
    (other,) = {int(one.name) for one in tasks.iterdir()} - {process}
    return other


def test_a_reader_that_has_left_ends_it_although_the_command_prints_nothing_more(server: Sending) -> None:
    server.silent = True
    command = begun(server, *EXEC)
    assert command.stdout is not None
    command.stdout.read(1)
    command.stdout.close()

    server_sends_more = command.wait(20)

    assert server_sends_more == 141

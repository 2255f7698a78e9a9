"""A command inside a running container: its number, by which it is ended, is found wherever it arrives."""

from __future__ import annotations

import json
import os
import re
import socket
import socketserver
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import docker
import pytest
from docker.models.containers import Container

from border.plain import plain
from orchestrator.engine.docker import live_output
from orchestrator.engine.docker.live_output import Execution, end_commands
from orchestrator.engine.docker.refusals import not_started
from orchestrator.engine.terminal import Input, Pipe, Size, Terminal
from orchestrator.errors import EngineError
from orchestrator.host.output import Output

MARK = b"changeover-process 71\n"
MUCH = "".join(f"{number} {'x' * 100}\n" for number in range(400))


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers what an exec asks of Docker. `commands`: those that were run.

    `in_one_piece`: the output comes with the head of the answer, as docker-py finds it on a busy machine. `runs_here`:
    the commands are run, as processes of this machine.
    """

    daemon_threads = True

    def __init__(self, socket: Path, chunks: tuple[bytes, ...], in_one_piece: bool) -> None:
        super().__init__(str(socket), _Exec)
        self.chunks = chunks
        self.in_one_piece = in_one_piece
        self.commands: list[str] = []
        self.is_terminal = False
        self.runs_here = False
        self.sent_as_it_is = b""
        self.exit_code: int | None = 127
        self.asked: dict[str, dict[str, list[str]]] = {}


class _Exec(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Engine

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        if self.path.endswith("/exec"):
            self.server.commands.append(asked["Cmd"][-1])
            self.server.is_terminal = asked["Tty"]
            name = f"e{len(self.server.commands)}"
            self.server.asked[name] = asked
            self._answer({"Id": name})
        elif self.path.endswith("/start"):
            head = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
            pieces = [self._piece(chunk) for chunk in self.server.chunks]
            if self.server.in_one_piece:
                pieces = [head + b"".join(pieces)]
            else:
                self.connection.sendall(head)
            for piece in pieces:
                self.connection.sendall(piece)
            self.connection.sendall(self.server.sent_as_it_is)
            if self.server.runs_here:
                self._run(self.server.asked[self.path.split("/")[-2]])
            self.connection.shutdown(socket.SHUT_WR)
            # As Docker reads it: closing before that would reset the connection, and with it what was sent.
            while self.connection.recv(4096):
                pass
            self.close_connection = True
        else:
            self._answer({})

    def _run(self, asked: dict[str, list[str]]) -> None:
        more = dict(one.split("=", 1) for one in asked.get("Env") or ())
        with subprocess.Popen(
            asked["Cmd"], env=os.environ | more, start_new_session=True, stdout=subprocess.PIPE
        ) as process:
            for line in process.stdout or ():
                self.connection.sendall(self._piece(line))

    def do_GET(self) -> None:
        self._answer({"ExitCode": self.server.exit_code})

    def log_message(self, format: str, *args: object) -> None:
        """It says nothing."""

    def _piece(self, chunk: bytes) -> bytes:
        return chunk if self.server.is_terminal else struct.pack(">BxxxL", 1, len(chunk)) + chunk

    def _answer(self, content: dict[str, object]) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


Started = Callable[..., tuple[Engine, Container]]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Started]:
    engines: list[Engine] = []

    def start(*chunks: bytes, in_one_piece: bool) -> tuple[Engine, Container]:
        engine = Engine(tmp_path / "docker.sock", chunks, in_one_piece)
        engines.append(engine)
        threading.Thread(target=engine.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        client = docker.DockerClient(base_url=f"unix://{tmp_path}/docker.sock", version="1.45", timeout=10)
        return engine, Container(attrs={"Id": "c1", "State": {"Status": "running"}}, client=client)

    yield start
    for engine in engines:
        engine.shutdown()
        engine.server_close()


@pytest.mark.parametrize("in_one_piece", [True, False], ids=["with the head of the answer", "after it"])
@pytest.mark.parametrize(
    ("chunks", "shown", "known"),
    [
        ((MARK, b"hello\n"), ["hello"], True),
        ((MARK[:9], MARK[9:] + b"hello\n"), ["hello"], True),
        ((b"sh: 1: exec: psq: not found\n", MARK), ["sh: 1: exec: psq: not found"], True),
        ((b"a warning\n", MARK, b"hello\n"), ["a warning", "hello"], True),
        ((b"exec: sh: not found",), ["exec: sh: not found"], False),
        ((MARK, MUCH.encode(), b"end\n"), [*MUCH.splitlines(), "end"], True),
    ],
    ids=["first", "in two", "after an error", "after a warning", "never", "much"],
)
@pytest.mark.parametrize("stdin", [None, b"", b"typed\n"], ids=["no input", "empty input", "input"])
def test_the_line_with_the_number_is_taken_out_and_nothing_else(
    started: Started, chunks: tuple[bytes, ...], shown: list[str], known: bool, in_one_piece: bool, stdin: Input
) -> None:
    lines: list[str] = []
    engine, container = started(*chunks, in_one_piece=in_one_piece)
    execution = Execution(container, ("psq",), {}, Output(lines.append), stdin)

    code = execution.run()
    execution.close()
    execution.end()

    assert (code, lines) == (127, shown)
    (end,) = engine.commands[1:]
    assert ("kill -KILL -71 || kill -KILL 71" in end) is known


@pytest.mark.parametrize("in_one_piece", [True, False], ids=["with the head of the answer", "after it"])
def test_what_a_terminal_shows_first_is_not_lost(started: Started, in_one_piece: bool) -> None:
    seen: list[bytes] = []
    _, container = started(MARK, b"\x1b[2J$ ", in_one_piece=in_one_piece)
    terminal = Terminal(Size(rows=24, columns=80), seen.append)

    code = Execution(container, ("sh",), {}, Output(lambda _: None), terminal).run()

    assert (code, b"".join(seen)) == (127, b"\x1b[2J$ ")


def framed(stream: int, content: bytes) -> bytes:
    return struct.pack(">BxxxL", stream, len(content)) + content


DUMP = bytes(range(256)) * 4000


@pytest.mark.parametrize("content", [None, b"", b"typed\n"], ids=["no input", "empty input", "input"])
def test_a_pipe_gets_the_standard_output_byte_for_byte_and_nothing_else(
    started: Started, content: bytes | None
) -> None:
    shown, lines = list[bytes](), list[str]()
    engine, container = started(MARK, DUMP, in_one_piece=False)
    engine.sent_as_it_is = framed(2, b"a warn\x1bing\n") + framed(1, MARK) + framed(1, b"\x00no newline")
    execution = Execution(container, ("dump",), {}, Output(lines.append), Pipe(content, shown.append))

    code = execution.run()
    execution.close()

    assert (code, b"".join(shown)) == (127, DUMP + MARK + b"\x00no newline")
    assert lines == [plain("a warn\x1bing")]


@pytest.mark.parametrize("sent", [b"\x01\x00", struct.pack(">BxxxL", 1, 10) + b"half"], ids=["head", "piece"])
def test_output_that_breaks_off_in_the_middle_is_a_failure(started: Started, sent: bytes) -> None:
    engine, container = started(MARK, b"one", in_one_piece=False)
    engine.sent_as_it_is, engine.exit_code = sent, 0

    with pytest.raises(EngineError, match="broke off"):
        Execution(container, ("dump",), {}, Output(lambda _: None), Pipe(None, lambda _: None)).run()


def test_output_that_ends_while_the_command_runs_is_a_failure(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_output, "ENDS_WITHIN_S", 0.0)
    engine, container = started(MARK, b"one", in_one_piece=False)
    engine.exit_code = None

    with pytest.raises(EngineError, match="broke off"):
        Execution(container, ("dump",), {}, Output(lambda _: None), Pipe(None, lambda _: None)).run()

    assert "kill -KILL -71" in engine.commands[-1], "nobody waits for it any more"


@pytest.mark.parametrize(
    ("program", "code"), [("no-such-program", 127), ("/etc/passwd", 126), ("$(touch /tmp/x)`'\"", 127), ("true", 0)]
)
def test_a_program_that_the_image_does_not_have_is_told_as_run_tells_it(program: str, code: int) -> None:
    done = subprocess.run(
        ["sh", "-c", live_output._WRAPPER, "sh", program], capture_output=True, text=True, timeout=10, check=False
    )

    assert done.returncode == code
    assert done.stderr == (f"{not_started(program)}\n" if code else "")


@pytest.mark.parametrize("pipe", [True, False], ids=["bytes", "lines"])
def test_an_image_without_a_shell_is_told_as_that(started: Started, pipe: bool) -> None:
    shown, lines = list[bytes](), list[str]()
    says = b'OCI runtime exec failed: exec failed: unable to start container process: exec: "sh": executable file not'
    _, container = started(says + b" found in $PATH: unknown\r\n", in_one_piece=False)
    execution = Execution(container, ("ls",), {}, Output(lines.append), Pipe(None, shown.append) if pipe else None)

    code = execution.run()
    execution.close()

    assert (code, shown) == (127, [])
    assert lines == [live_output._NEEDS_A_SHELL.decode().rstrip()]


BEGINS_OTHERS = """
setsid sh -c 'echo $$; exec sleep 300' &
(setsid sh -c 'echo $$; exec sleep 300' &)
sh -c 'echo $$; exec sleep 300' &
wait
"""


@pytest.mark.parametrize("before", [(), (b"x" * 100_000 + b"\n",)], ids=["number known", "number not found"])
def test_what_a_command_has_begun_ends_with_it_also_in_a_session_of_its_own(
    started: Started, before: tuple[bytes, ...]
) -> None:
    begun: list[int] = []
    all_begun = threading.Event()

    def take(line: str) -> None:
        if line.isdigit():
            begun.append(int(line))
        if len(begun) == 3:
            all_begun.set()

    engine, container = started(*before, in_one_piece=False)
    engine.runs_here = True
    execution = Execution(container, ("sh", "-c", BEGINS_OTHERS), {}, Output(take))
    work = threading.Thread(target=execution.run)
    work.start()
    assert all_begun.wait(10)

    execution.end()
    work.join(10)

    assert not work.is_alive()
    assert [number for number in begun if runs(number)] == []


def test_what_is_ended_in_a_container_is_what_any_command_has_in_its_environment(started: Started) -> None:
    engine, container = started(MARK, in_one_piece=False)
    Execution(container, ("psq",), {}, Output(lambda _line: None)).run()

    end_commands(container)

    (mark,) = engine.asked["e1"]["Env"]
    (sought,) = re.findall(r"in \*(\S+)\*\)", engine.commands[-1])
    assert sought == "CHANGEOVER_COMMAND=exec-"
    assert mark.startswith(sought)


def runs(number: int) -> bool:
    """Whether the process runs: one that has ended may still wait for its parent's question."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False

"""`changeover run`, `exec` and `logs --follow`: lines as they come, and the exit code of the command."""

from __future__ import annotations

import base64
import json
import os
import select
import signal
import socket
import subprocess
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from panel.cli import terminal
from panel.cli.slow_reader import SlowReader
from panel.client.errors import Unreachable
from tests.support.command_line import changeover
from tests.support.fakes.api import FakeApi
from tests.support.paths import ROOT


def stream(*pieces: Any) -> str:
    return "".join(json.dumps(piece) + "\n" for piece in pieces)


@pytest.mark.parametrize("place", ["run", "exec"])
def test_output_is_printed_and_the_exit_code_is_passed_on(api: FakeApi, place: str) -> None:
    told = stream({"line": "a [bold]line"}, {}, {"line": "b\x1b[2J"}, {"exit_code": 7, "late": False})
    api.gives_text("POST", f"/v1/apps/shop/{place}", told)

    done = changeover(place, "--env", "A=b=c", "--timeout", "5", "shop", "python", "manage.py", "--check", "-v")

    assert done.exit_code == 7
    assert done.stdout.splitlines() == ["a [bold]line", "b"]
    assert api.asked[0].body == {
        "command": ["python", "manage.py", "--check", "-v"], "env": {"A": "b=c"}, "timeout": 5.0,
    }  # fmt: skip


DUMP = bytes(range(256)) * 100


@pytest.mark.parametrize("place", ["run", "exec"])
def test_into_a_pipe_the_output_comes_byte_for_byte(api: FakeApi, place: str) -> None:
    pieces = [{"output": base64.b64encode(one).decode()} for one in (DUMP, b"\x00end")]
    told = stream({"error": "a [warning]"}, *pieces, {"exit_code": 0, "late": False})
    api.gives_text("POST", f"/v1/apps/shop/{place}", told)

    done = changeover(place, "shop", "--", "dump")

    assert (done.exit_code, done.stdout_bytes, done.stderr) == (0, DUMP + b"\x00end", "a [warning]\n")
    assert api.asked[0].query == {"output": "bytes"}
    assert "output" not in api.asked[0].body, "an older orchestrator refuses a field that it does not know"


def test_lines_of_an_older_orchestrator_are_no_success_in_a_pipe(api: FakeApi) -> None:
    api.gives_text("POST", "/v1/apps/shop/exec", stream({"line": "perhaps all"}, {"exit_code": 0, "late": False}))

    done = changeover("exec", "shop", "--", "dump")

    assert (done.exit_code, done.stdout) == (1, "perhaps all\n")
    assert "the orchestrator is older than this command" in done.stderr


@pytest.mark.parametrize("gap", [{"line": "[2 lines left out]", "note": True}, {"line": "x [2 bytes…]", "cut": True}])
def test_json_that_is_not_whole_is_no_success(api: FakeApi, gap: dict[str, Any]) -> None:
    api.gives_text("POST", "/v1/apps/shop/exec", stream({"line": "one"}, gap, {"exit_code": 0, "late": False}))

    done = changeover("exec", "--json", "shop", "--", "dump")

    assert done.exit_code == 1
    assert [json.loads(one) for one in done.stdout.splitlines()][1] == gap
    assert "not whole" in done.stderr
    assert api.asked[0].query == {}


def test_at_a_terminal_the_note_is_on_standard_error(api: FakeApi, window: tuple[int, int]) -> None:
    here, there = window
    note = {"line": "[2 lines left out]", "note": True}
    api.gives_text("POST", "/v1/apps/shop/exec", stream({"line": "one"}, note, {"exit_code": 0, "late": False}))

    done = subprocess.run(
        [sys.executable, "-m", "panel.cli", "exec", "shop", "--", "dump"],
        cwd=ROOT, stdin=there, stdout=there, stderr=subprocess.PIPE, text=True, timeout=60,
    )  # fmt: skip

    assert (done.returncode, os.read(here, 1000)) == (0, b"one\r\n")
    assert done.stderr.startswith("[2 lines left out]\n")


def test_output_that_cannot_be_written_is_no_success(api: FakeApi) -> None:
    told = stream({"output": base64.b64encode(DUMP).decode()}, {"exit_code": 0, "late": False})
    api.gives_text("POST", "/v1/apps/shop/exec", told)

    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "panel.cli", "exec", "shop", "--", "dump"],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip

    assert done.returncode == 1
    assert "cannot be written: No space left on device" in done.stderr


def test_output_that_broke_off_is_no_success(api: FakeApi) -> None:
    api.gives_text("POST", "/v1/apps/shop/exec", stream({"output": base64.b64encode(DUMP).decode()}))

    assert changeover("exec", "shop", "--", "dump").exit_code == 1


@pytest.mark.parametrize(
    ("waits_s", "says"), [(1, "The connection broke."), (42, "took nothing for 42 s after 1024 MiB")]
)
def test_a_reader_that_lets_the_orchestrator_wait_is_told_as_the_cause(waits_s: int, says: str) -> None:
    """The remedy was to see whether the orchestrator runs."""
    moments = iter([0.0, 0.0, 10.0, 10.0 + waits_s])
    reader = SlowReader(lambda: next(moments))
    for _ in range(2):
        with reader.taking():
            pass

    assert says in reader.explains(Unreachable("The connection broke.", ""), "The output is not whole").cause


def test_a_log_whose_reader_let_the_orchestrator_wait_is_not_said_to_have_broken() -> None:
    moments = iter([0.0, 42.0])
    reader = SlowReader(lambda: next(moments))
    with reader.taking():
        pass

    told = reader.explains(Unreachable("The connection broke.", ""), "The log is not followed any more")

    assert told.cause.startswith("The log is not followed any more: the program that reads the output took nothing for")


def test_a_command_that_was_killed_late_is_no_success(api: FakeApi) -> None:
    api.gives_text("POST", "/v1/apps/shop/run", stream({"exit_code": 0, "late": True}))

    assert changeover("run", "shop", "--", "dump").exit_code == 1


def test_the_command_may_stand_after_two_hyphens(api: FakeApi) -> None:
    api.gives_text("POST", "/v1/apps/shop/run", stream({"exit_code": 0, "late": False}))

    assert changeover("run", "shop", "--", "python", "--version").exit_code == 0
    assert api.asked[0].body["command"] == ["python", "--version"]


@pytest.mark.parametrize(
    "words", [["--env", "A=b", "--", "cmd"], ["--json", "--", "echo"], ["--stdin", "--", "cat"], ["-t", "sh"]]
)
@pytest.mark.parametrize("place", ["run", "exec"])
def test_an_option_after_the_app_is_not_taken_for_the_program(api: FakeApi, place: str, words: list[str]) -> None:
    done = changeover(place, "shop", *words)

    assert done.exit_code == 2
    assert "options go before APP" in done.stderr
    assert f"changeover {place} {words[0]} … shop -- COMMAND" in done.stderr
    assert api.asked == []


def test_a_program_may_begin_with_a_hyphen_after_two(api: FakeApi) -> None:
    api.gives_text("POST", "/v1/apps/shop/run", stream({"exit_code": 0, "late": False}))

    assert changeover("run", "shop", "--", "-odd").exit_code == 0
    assert api.asked[0].body["command"] == ["-odd"]


def test_what_is_refused_on_the_way_is_told(api: FakeApi) -> None:
    problem = {"kind": "Refused", "detail": "shop has no live release.", "remedy": "Deploy one."}
    api.gives_text("POST", "/v1/apps/shop/run", stream({"problem": problem}))

    done = changeover("run", "shop", "ls")

    assert done.exit_code == 3
    assert "shop has no live release." in done.output


def test_an_end_without_an_exit_code_is_a_failure(api: FakeApi) -> None:
    api.gives_text("POST", "/v1/apps/shop/run", stream({"line": "begun"}))

    assert changeover("run", "shop", "ls").exit_code == 1


@pytest.mark.parametrize(
    ("kind", "code"), [("NotAllowed", 4), ("Refused", 3), ("TooManyStreams", 3), ("EngineError", 1), ("", 1)]
)
@pytest.mark.parametrize("command", [("run", "shop", "ls"), ("logs", "shop", "--follow")])
def test_a_problem_in_a_stream_has_the_exit_code_of_the_same_problem_in_an_answer(
    api: FakeApi, command: tuple[str, ...], kind: str, code: int
) -> None:
    problem = {"kind": kind, "detail": "The token was revoked.", "remedy": "Use another one."}
    for way in (("POST", "/v1/apps/shop/run"), ("GET", "/v1/apps/shop/logs/follow")):
        api.gives_text(*way, stream({"line": "one"}, {"problem": problem}))

    done = changeover(*command)

    assert done.exit_code == code
    assert "The token was revoked." in done.output


def test_a_log_is_followed(api: FakeApi) -> None:
    api.gives_text("GET", "/v1/apps/shop/logs/follow", stream({"line": "one"}, {}, {"line": "two"}))

    done = changeover("logs", "shop", "--follow", "--tail", "5")

    assert done.stdout.splitlines() == ["one", "two"]
    assert api.asked[0].query == {"tail": "5"}


@pytest.mark.parametrize(("option", "sent"), [("--stdin", "b25lCnR3bwo="), ("-i", "b25lCnR3bwo="), ("", None)])
def test_the_standard_input_is_sent_where_that_is_asked_for(api: FakeApi, option: str, sent: str | None) -> None:
    """Not by itself: in a script that would wait for the end of whatever input the script has."""
    api.gives_text("POST", "/v1/apps/shop/exec", stream({"exit_code": 0, "late": False}))

    done = changeover("exec", *([option] if option else []), "shop", "--", "cat", typed="one\ntwo\n")

    assert done.exit_code == 0
    assert api.asked[0].body.get("stdin") == sent


def test_an_input_that_is_too_long_is_refused_before_anything_runs(api: FakeApi) -> None:
    done = changeover("run", "-i", "shop", "--", "cat", typed="x" * (2**20 + 1))

    assert done.exit_code == 2
    assert api.asked == []


@pytest.mark.parametrize("option", ["-t", "-it", "--terminal"])
def test_a_terminal_is_refused_where_there_is_none(api: FakeApi, option: str) -> None:
    done = changeover("run", option, "shop", "--", "sh", typed="exit\n")

    assert done.exit_code == 2
    assert "needs a terminal" in done.output
    assert api.asked == []


@pytest.fixture
def window() -> Iterator[tuple[int, int]]:
    """A terminal of 80 by 24: the side of its window, and that of a command in it."""
    here, there = os.openpty()
    termios.tcsetwinsize(there, (24, 80))
    yield here, there
    os.close(here)
    os.close(there)


def test_at_a_terminal_output_comes_as_it_is(api: FakeApi, window: tuple[int, int]) -> None:
    here, there = window
    shown = base64.b64encode(b"\x1b[1mname?\x1b[0m ").decode()
    api.gives_text("POST", "/v1/apps/shop/run", stream({"terminal": "n"}, {"output": shown}, {"exit_code": 7}))

    done = subprocess.run(
        [sys.executable, "-m", "panel.cli", "run", "-it", "shop", "--", "sh"],
        cwd=ROOT, stdin=there, stdout=there, stderr=there, timeout=60,
    )  # fmt: skip

    assert done.returncode == 7
    assert os.read(here, 1000) == b"\x1b[1mname?\x1b[0m "
    assert api.asked[0].body["terminal"] == {"columns": 80, "rows": 24}


def test_what_a_terminal_answers_to_the_command_is_no_key_of_the_shell_that_reads_next(window: tuple[int, int]) -> None:
    """`ESC [ c` asks a terminal what it is. The answer comes as if a person had typed it."""
    here, there = window
    with terminal.set_back(there):
        tty.setraw(there)
        os.write(here, b"\x1b[?1;2c\r")
        assert select.select([there], [], [], 10)[0]

    assert not select.select([there], [], [], 0)[0]


OWN_TERMINAL = (
    "import fcntl, runpy, signal, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.default_int_handler); runpy.run_module('panel.cli', run_name='__main__')"
)
"""The command as a shell starts it: the keys of its terminal make signals for it."""


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (lambda _here, process: process.terminate(), 128 + signal.SIGTERM),
        (lambda here, _process: os.write(here, b"\x03"), 128 + signal.SIGINT),
    ],
)
def test_a_command_that_waits_for_the_orchestrator_can_be_ended_and_leaves_the_terminal_as_it_was(
    window: tuple[int, int], end: Callable[[int, subprocess.Popen[bytes]], object], code: int
) -> None:
    """Keys were kept for the command, Ctrl-C among them, for a minute; SIGTERM left the terminal without echo."""
    here, there = window
    before = termios.tcgetattr(there)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with subprocess.Popen(
            [sys.executable, "-c", OWN_TERMINAL, "exec", "-t", "shop", "--", "sh"],
            cwd=ROOT, stdin=there, stdout=there, stderr=there, start_new_session=True,
            env=os.environ | {"CHANGEOVER_URL": url, "CHANGEOVER_TOKEN": "co_secret"},
        ) as process:  # fmt: skip
            connection, _ = silent.accept()
            with connection:
                assert connection.recv(100)
                assert not termios.tcgetattr(there)[3] & termios.ECHO
                end(here, process)
                assert process.wait(20) == code

    assert termios.tcgetattr(there) == before


def test_a_panel_that_is_terminated_leaves_the_terminal_as_it_was(api: FakeApi, window: tuple[int, int]) -> None:
    """It was left without echo, with reports of the mouse, and with the panel's screen in it."""
    here, there = window
    api.gives("GET", "/v1/apps", {"apps": []})
    before = termios.tcgetattr(there)
    shown = b""
    with subprocess.Popen(
        [sys.executable, "-m", "panel.cli", "panel"], cwd=ROOT, stdin=there, stdout=there, stderr=there
    ) as process:
        while b"CHANGEOVER" not in shown:
            shown += os.read(here, 10_000)
        process.terminate()
        while b"\x1b[?1049l" not in shown:
            assert select.select([here], [], [], 20)[0], shown[-200:]
            shown += os.read(here, 10_000)
        assert process.wait(20) == 128 + signal.SIGTERM

    assert b"\x1b[?1000l" in shown
    assert termios.tcgetattr(there) == before

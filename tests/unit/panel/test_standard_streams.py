"""What `changeover` prints arrives whole, or it fails and says so, whatever its standard streams are."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import resource
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from panel.cli.standard_streams import Whole
from tests.support import api_answers as answers
from tests.support.fakes.api import FakeApi
from tests.support.paths import ROOT

pytestmark = pytest.mark.in_turn

DUMP = bytes(range(256)) * 4000
EXEC = [sys.executable, "-m", "panel.cli", "exec", "shop", "--", "dump"]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeApi]:
    with FakeApi() as api:
        monkeypatch.setenv("CHANGEOVER_URL", api.url)
        monkeypatch.setenv("CHANGEOVER_TOKEN", "co_secret")
        monkeypatch.setenv("PYTHONUNBUFFERED", "1")
        yield api


def stream(*pieces: Any) -> str:
    return "".join(json.dumps(piece) + "\n" for piece in pieces)


def dumping(api: FakeApi, content: bytes = DUMP) -> None:
    chunks = [content[at : at + 16384] for at in range(0, len(content), 16384)]
    pieces = [{"output": base64.b64encode(one).decode()} for one in chunks]
    api.gives_text("POST", "/v1/apps/shop/exec", stream(*pieces, {"error": "a warning"}, {"exit_code": 0}))


def test_a_dump_is_whole_in_a_pipe_that_does_not_block(api: FakeApi) -> None:
    """Half of it was missing, with the exit code 0."""
    dumping(api)
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with subprocess.Popen(EXEC, cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, text=True) as done:
        os.close(writing)
        with open(reading, "rb") as pipe:
            came = pipe.read()
        _, said = done.communicate(timeout=60)

    assert (came, said, done.returncode) == (DUMP, "a warning\n", 0)


def test_what_no_longer_fits_is_no_success(api: FakeApi, tmp_path: Path) -> None:
    """As on a disk that is full: the last write wrote a part, and nobody asked how much."""
    dumping(api, DUMP[:10_000])
    with (tmp_path / "dump").open("wb") as file:
        done = subprocess.run(
            EXEC, cwd=ROOT, stdout=file, stderr=subprocess.PIPE, text=True, timeout=60,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000)),
        )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr.startswith("The output cannot be written: File too large. What was written is not whole")


@pytest.mark.parametrize("closed", [0, 1, 2])
def test_a_stream_that_is_closed_gets_nothing_and_gives_it_to_no_other(api: FakeApi, closed: int) -> None:
    dumping(api)
    words = [sys.executable, "-c", f"import os, sys; os.close({closed}); os.execv(sys.executable, sys.argv[1:])", *EXEC]
    done = subprocess.run(words, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    assert done.returncode == 0
    assert (done.stdout, done.stderr) == ({1: b""}.get(closed, DUMP), {2: b""}.get(closed, b"a warning\n"))


@pytest.mark.parametrize(
    ("words", "method", "path", "piece", "code"),
    [
        (["exec", "shop", "--", "yes"], "POST", "/v1/apps/shop/exec", {"output": "eQo="}, 141),
        (["exec", "--json", "shop", "--", "yes"], "POST", "/v1/apps/shop/exec", {"line": "y"}, 141),
        (["logs", "--follow", "shop"], "GET", "/v1/apps/shop/logs/follow", {"line": "y"}, 1),
    ],
)
def test_a_reader_that_has_enough_is_no_matter_for_a_traceback(
    api: FakeApi, words: list[str], method: str, path: str, piece: dict[str, str], code: int
) -> None:
    api.gives_text(method, path, stream(*[piece] * 50_000))
    command = [sys.executable, "-m", "panel.cli", *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        assert done.stdout is not None
        assert done.stderr is not None
        done.stdout.readline()
        done.stdout.close()
        said = done.stderr.read()
        done.wait(60)

    assert (said, done.returncode) == (b"", code)


@pytest.mark.parametrize("words", [["validate", "--help"], ["logs", "shop"], ["logs", "--json", "shop"]])
@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_any_command_says_that_its_output_has_no_room(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, words: list[str], unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    api.gives("GET", "/v1/apps/shop/logs", {"lines": ["a line"]})
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "panel.cli", *words],
            cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip

    says = "What was printed is not whole: No space left on device. Make room, or choose another place for it.\n"
    assert (done.returncode, done.stderr) == (1, says)


def test_a_write_returns_when_all_is_written() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    room = 0
    with Whole(writing) as whole:
        try:
            while True:
                room += os.write(writing, b"x" * 4096)
        except BlockingIOError:
            os.read(reading, 4096)
        assert whole.write(b"y" * 4096) == 4096
        assert (whole.fileno(), whole.isatty(), whole.writable()) == (writing, False, True)
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert pipe.read() == b"x" * (room - 4096) + b"y" * 4096


def test_an_input_is_whole_that_comes_slowly_from_a_pipe_that_does_not_block(api: FakeApi) -> None:
    """It ended in a traceback, or with what had come until then."""
    api.gives_text("POST", "/v1/apps/shop/exec", stream({"exit_code": 0}))
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    command = [sys.executable, "-m", "panel.cli", "exec", "--stdin", "shop", "--", "cat"]
    with subprocess.Popen(command, cwd=ROOT, stdin=reading, stderr=subprocess.PIPE, text=True) as done:
        for line in (b"one\n", b"two\n"):
            _until_all_is_read(writing)
            os.write(writing, line)
        os.close(writing)
        _, said = done.communicate(timeout=60)
    os.close(reading)

    assert (done.returncode, said) == (0, "")
    assert base64.b64decode(api.asked[0].body["stdin"]) == b"one\ntwo\n"


def _until_all_is_read(pipe: int) -> None:
    deadline = time.monotonic() + 20
    while int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_an_input_that_cannot_be_read_is_said_to_be_so(api: FakeApi, tmp_path: Path) -> None:
    only_written = os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT)
    command = [sys.executable, "-m", "panel.cli", "exec", "--stdin", "shop", "--", "cat"]
    done = subprocess.run(command, cwd=ROOT, stdin=only_written, capture_output=True, text=True, timeout=60)
    os.close(only_written)

    assert done.returncode == 2
    assert done.stderr.startswith("The standard input cannot be read: Bad file descriptor.")
    assert api.asked == []


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_letter_that_the_terminal_does_not_have_is_no_reason_to_fail(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    """A status without an update has a dash. JSON stays the same JSON."""
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    found = {"apps": [answers.app("shop", url="http://bücher.example/–")]}
    api.gives("GET", "/v1/apps", found)
    said = [
        subprocess.run(
            [sys.executable, "-m", "panel.cli", "status", *words], cwd=ROOT, capture_output=True, timeout=60, check=True
        ).stdout.decode(encoding)
        for words in ([], ["--json"])
    ]

    assert "shop" in said[0]
    assert json.loads(said[1]) == found


@pytest.mark.parametrize("words", [["status", "nothing"], ["--nonsense"]])
def test_a_message_that_nobody_reads_any_more_ends_with_an_exit_code_of_ours(api: FakeApi, words: list[str]) -> None:
    """It was Python's 120."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-m", "panel.cli", *words], cwd=ROOT, stderr=writing, timeout=60)
    os.close(writing)

    assert done.returncode == 1


HEARS_CTRL_C = (
    "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "runpy.run_module('panel.cli', run_name='__main__')"
)


@pytest.mark.parametrize("words", [["exec", "shop", "--", "yes"], ["exec", "--json", "shop", "--", "yes"]])
def test_ctrl_c_ends_a_command_whose_reader_takes_nothing(api: FakeApi, words: list[str]) -> None:
    """It was not heard, however often it was pressed."""
    api.gives_text("POST", "/v1/apps/shop/exec", stream(*[{"output": base64.b64encode(DUMP[:4000]).decode()}] * 500))
    command = [sys.executable, "-c", HEARS_CTRL_C, *words]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as done:
        assert done.stdout is not None
        _until_it_is_full(done.stdout.fileno())
        done.send_signal(signal.SIGINT)
        code = done.wait(20)
        assert done.stderr is not None
        assert (code, done.stderr.read()) == (128 + signal.SIGINT, b"")


def _until_it_is_full(pipe: int) -> None:
    """A pipe has room for 16 pages, and what is left may be too little for a whole write."""
    deadline, before = time.monotonic() + 20, 0
    while time.monotonic() < deadline:
        waits = int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)
        if waits and waits == before:
            return
        before = waits
        time.sleep(0.3)


@pytest.mark.parametrize(
    "locale",
    [
        {"LC_ALL": "C", "PYTHONUTF8": "0"},
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii:surrogateescape"},
        {"PYTHONIOENCODING": "latin-1:strict"},
        {"PYTHONIOENCODING": "ascii:surrogatepass"},
    ],
    ids=str,
)
def test_a_letter_that_the_locale_does_not_have_is_replaced_whatever_python_would_do(
    api: FakeApi, locale: dict[str, str]
) -> None:
    """In the locale C, `status` ended with a traceback at its first dot."""
    api.gives("GET", "/v1/apps", {"apps": [answers.app()]})

    done = subprocess.run(
        [sys.executable, "-m", "panel.cli", "status"],
        cwd=ROOT,
        env=os.environ | locale,
        capture_output=True,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"shop  ? v1.0.0" in done.stdout

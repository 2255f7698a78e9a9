"""R in a terminal: `changeover panel` starts itself again, in the same process, and goes on with what it showed."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.component.test_web import serving_apps, without_colours
from tests.support.paths import ROOT

WAIT_S = 60


def until_drawn(terminal: int, *words: str) -> bytes:
    deadline, drawn = time.monotonic() + WAIT_S, b""
    while not all(word.encode() in without_colours(drawn) for word in words):
        left = deadline - time.monotonic()
        assert left > 0, f"{words} did not all come, but: {drawn[-2000:]!r}"
        if select.select([terminal], [], [], left)[0]:
            drawn += os.read(terminal, 65536)
    return drawn


def command_at(url: str, folder: Path, terminal: int) -> subprocess.Popen[bytes]:
    environment = os.environ | {
        "CHANGEOVER_URL": url,
        "CHANGEOVER_TOKEN": "co_secret",
        "TERM": "xterm-256color",
        "XDG_STATE_HOME": str(folder),
    }
    command = [sys.executable, "-m", "panel.cli", "panel"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True
    )


def selected(folder: Path) -> list[str]:
    return [json.loads(file.read_text())["selected"] for file in folder.glob("changeover/panel/*.json")]


@contextmanager
def terminal_of_its_own() -> Iterator[tuple[int, int]]:
    """A terminal's two ends: ours, and that of whoever runs in it."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    try:
        yield ours, theirs
    finally:
        os.close(ours)
        os.close(theirs)


def until(terminal: int, holds: Callable[[], bool]) -> None:
    """Meanwhile, what is drawn is read: whoever draws waits for that."""
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline
        if select.select([terminal], [], [], 0.1)[0]:
            os.read(terminal, 65536)


def test_a_run_after_one_that_was_killed_goes_on_where_that_was(tmp_path: Path) -> None:
    with serving_apps() as api:
        with terminal_of_its_own() as (ours, theirs):
            one = command_at(api.url, tmp_path, theirs)
            try:
                until_drawn(ours, "shop", "till")
                os.write(ours, b"\x1b[B")  # Down: to the till
                until(ours, lambda: selected(tmp_path) == ["till"])
            finally:
                one.kill()
                one.wait()
        with terminal_of_its_own() as (ours, theirs):
            two = command_at(api.url, tmp_path, theirs)
            try:
                until_drawn(ours, "shop", "till")
                os.write(ours, b"d")
                until_drawn(ours, "No update is known")
                os.write(ours, b"q")
                until(ours, lambda: two.poll() is not None)
                assert (two.returncode, selected(tmp_path)) == (0, ["till"])
            finally:
                two.kill()
                two.wait()


def test_r_in_a_terminal_starts_the_panel_again_with_what_it_showed(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    with serving_apps() as api:
        process = command_at(api.url, tmp_path, theirs)
        try:
            until_drawn(ours, "shop", "till")
            os.write(ours, b"\x1b[B")  # Down: to the till
            time.sleep(0.5)
            os.write(ours, b"r")
            until_drawn(ours, "Reload complete", "Restoring what was shown")
            assert process.poll() is None
            os.write(ours, b"\rd")
            until_drawn(ours, "No update is known")
            os.write(ours, b"q")
            assert process.wait(WAIT_S) == 0
        finally:
            process.kill()
            process.wait()
            os.close(ours)
            os.close(theirs)

"""R in a terminal: `changeover panel` starts itself again, in the same process, and goes on with what it showed."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
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


def test_r_in_a_terminal_starts_the_panel_again_with_what_it_showed(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    with serving_apps() as api:
        environment = os.environ | {
            "CHANGEOVER_URL": api.url,
            "CHANGEOVER_TOKEN": "co_secret",
            "TERM": "xterm-256color",
            "XDG_STATE_HOME": str(tmp_path),
        }
        command = [sys.executable, "-m", "panel.cli", "panel"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        )
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

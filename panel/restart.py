"""A restart of the panel's process, which goes on with the state of its session.

The process ends with RESTART. In the browser, the server closes the page's connection then, and the page connects
again, to another process. In a terminal, `changeover panel` starts itself again, with the state in a file that has no
name.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from typing import NoReturn

from panel.session.form import NotReadable, as_text, read_text
from panel.session.state import SessionState

RESTART = 42
"""The exit code of a process that is to be started again."""
STATE_FD = "CHANGEOVER_PANEL_STATE_FD"
"""The environment variable with the file descriptor of the state, which the next process inherits."""


def start_again(state: SessionState) -> NoReturn:
    """Replace this process by a new one, with the same command and this state."""
    with tempfile.TemporaryFile() as file:
        file.write(as_text(state).encode())
        file.flush()
        inherited = os.dup(file.fileno())
    os.set_inheritable(inherited, True)
    os.environ[STATE_FD] = str(inherited)
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def state_before() -> SessionState | None:
    """The state with which this process was started again; None if it was not, or if the state cannot be read."""
    named = os.environ.pop(STATE_FD, "")
    with suppress(ValueError, OSError, NotReadable), open(int(named), "rb") as file:
        file.seek(0)
        return read_text(file.read())
    return None

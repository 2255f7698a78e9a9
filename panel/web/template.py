"""The template: `python -m panel.web.template FD`, started by the web server, which is at the other end of socket FD.

It has everything loaded that a page's process needs, has painted a first screen once, and is forked for each. So a
page's process starts at once, and shares with the others whatever does not change. The template has no threads (a fork
copies only the one that forks), and what it has loaded is taken out of garbage collection first, which would write to
the shared pages (`gc.freeze`).

It waits for its children, so that none stays a zombie, and tells the server of each end. When the server has ended, it
ends them.
"""

from __future__ import annotations

import asyncio
import gc
import os
import selectors
import signal
import socket
import sys
import threading
import traceback
from contextlib import suppress

from panel.web import session_app
from panel.web.driver import LIFELINE
from panel.web.fork_messages import FILES, LARGEST_MESSAGE, Ended, Order, Started, decoded, encoded


class Template:
    """Forks a process for each order that comes from the server."""

    def __init__(self, server: socket.socket) -> None:
        self._server = server
        self._children: set[int] = set()
        self._woken, waking = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        self._waking = waking

    def until_forked(self) -> bool:
        """Returns True in each child, whose standard streams are the page's then; False when the server has ended."""
        with selectors.DefaultSelector() as ready:
            ready.register(self._server, selectors.EVENT_READ)
            ready.register(self._woken, selectors.EVENT_READ)
            while True:
                for key, _ in ready.select():
                    if key.fd == self._woken:
                        self._reap()
                        continue
                    data, files, _, _ = socket.recv_fds(self._server, LARGEST_MESSAGE, FILES)
                    if not data:
                        self._end_children()
                        return False
                    order = decoded(data)
                    assert isinstance(order, Order)
                    if self._fork(order, files):
                        return True

    def _fork(self, order: Order, files: list[int]) -> bool:
        """Whether this is the child."""
        assert threading.active_count() == 1, "a fork would copy locks that other threads hold, and not the threads"
        try:
            pid = os.fork()
        except OSError as error:
            self._tell(Started(order.number, 0, f"no process could be started: {error.strerror}"))
        else:
            if pid == 0:
                self._become(order, files)
                return True
            self._children.add(pid)
            self._tell(Started(order.number, pid))
        for file in files:
            os.close(file)
        return False

    def _become(self, order: Order, files: list[int]) -> None:
        """What a child has of the template, and must not use, is given up."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._server.close()
        os.close(self._woken)
        os.close(self._waking)
        *streams, lifeline = files
        for at, file in enumerate(streams):
            os.dup2(file, at)
            os.close(file)
        os.environ |= {"COLUMNS": str(order.columns), "ROWS": str(order.rows), LIFELINE: str(lifeline)}

    def _reap(self) -> None:
        with suppress(BlockingIOError):
            os.read(self._woken, LARGEST_MESSAGE)
        for pid in tuple(self._children):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._children.discard(pid)
                self._tell(Ended(pid, os.waitstatus_to_exitcode(status)))

    def _tell(self, message: Started | Ended) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # the server has ended: its end is read next
            self._server.send(encoded(message))

    def _end_children(self) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
        for pid in self._children:
            os.waitpid(pid, 0)


def main() -> None:
    # Ctrl-C in a terminal is for the server, whose end is the template's, too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    asyncio.run(session_app.warm_up())
    app = session_app.new_session_app()
    template = Template(socket.socket(fileno=int(sys.argv[1])))
    gc.collect()
    gc.freeze()
    gc.disable()
    if not template.until_forked():
        return
    code = 1
    try:
        app.run()
        code = app.return_code or 0
    except BaseException:  # noqa: BLE001 (told as the interpreter would tell it)
        traceback.print_exc()
    finally:
        with suppress(OSError):
            sys.stdout.flush()
        with suppress(OSError):
            sys.stderr.flush()
        # The interpreter's own end would visit, and so copy, all that is shared with the template.
        os._exit(code)


if __name__ == "__main__":
    main()

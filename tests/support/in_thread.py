"""Servers of Python's standard library that answer beside the test."""

from __future__ import annotations

import threading
from socketserver import BaseServer
from types import TracebackType
from typing import Self

LOOKS_EVERY_S = 0.01
"""How often it looks whether it shall end: by default each end takes up to half a second."""


class InThread:
    """Answers from entry on; at exit it has ended, and its port is free."""

    def __init__(self, server: BaseServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=server.serve_forever, args=(LOOKS_EVERY_S,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

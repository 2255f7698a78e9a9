"""pypiserver, the real one, on 127.0.0.1: with or without a password."""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pypiserver  # type: ignore[import-untyped]

USER, PASSWORD = "ci", "secret-of-the-index"


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class PypiServer:
    """Serves the files of `folder`. A `private` one is for USER with PASSWORD alone, and notes who came without."""

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        rules = {"authenticate": ["list", "download", "update"], "auther": self._lets_in} if private else {}
        anybody = {} if private else {"authenticate": [], "password_file": "."}
        app = pypiserver.app(roots=[folder], disable_fallback=True, **rules, **anybody)
        self._server = make_server("127.0.0.1", 0, app, handler_class=_Silent)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @staticmethod
    def _lets_in(user: str, password: str) -> bool:
        return (user, password) == (USER, PASSWORD)

    def __enter__(self) -> PypiServer:
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

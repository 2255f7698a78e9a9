"""pypiserver, the real one, on 127.0.0.1: with or without a password."""

from __future__ import annotations

from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pypiserver  # type: ignore[import-untyped]

from tests.support.in_thread import InThread

USER, PASSWORD = "ci", "secret-of-the-index"


class _Silent(WSGIRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


class PypiServer(InThread):
    """Serves the files of `folder`. A `private` one is for USER with PASSWORD alone, and notes who came without."""

    def __init__(self, folder: Path, *, private: bool = False) -> None:
        rules = {"authenticate": ["list", "download", "update"], "auther": self._lets_in} if private else {}
        anybody = {} if private else {"authenticate": [], "password_file": "."}
        app = pypiserver.app(roots=[folder], disable_fallback=True, **rules, **anybody)
        server = make_server("127.0.0.1", 0, app, handler_class=_Silent)
        self.url = f"http://127.0.0.1:{server.server_port}"
        super().__init__(server)

    @staticmethod
    def _lets_in(user: str, password: str) -> bool:
        return (user, password) == (USER, PASSWORD)

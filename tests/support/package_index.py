"""A Python package index on 127.0.0.1 (PEP 503, PEP 691) with ETags, and small packages to put on it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.in_thread import InThread

JSON = "application/vnd.pypi.simple.v1+json"
UPLOADED = "2026-03-01T10:00:00.000000Z"
SERVER = """
import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        said = b'{"release": "VERSION"}'
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)
    do_POST = do_GET
    def log_message(self, *_): pass
def main():
    http.server.ThreadingHTTPServer(("ADDRESS", int(os.environ["CHANGEOVER_PORT"])), Answer).serve_forever()
"""


def wheel(name: str, version: str, *, files: dict[str, str] | None = None, scripts: tuple[str, ...] = ()) -> bytes:
    """A wheel with these modules, and commands that each call `main` of the package."""
    info, content = f"{name}-{version}.dist-info", io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path, text in (files or {f"{name}/__init__.py": ""}).items():
            archive.writestr(path, text)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        if scripts:
            lines = "".join(f"{script} = {name}:main\n" for script in scripts)
            archive.writestr(f"{info}/entry_points.txt", f"[console_scripts]\n{lines}")
        archive.writestr(f"{info}/RECORD", "")
    return content.getvalue()


def server_wheel(name: str, version: str, address: str = "127.0.0.1") -> bytes:
    """A package whose command of the same name answers every request with its version."""
    code = SERVER.replace("VERSION", version).replace("ADDRESS", address)
    return wheel(name, version, files={f"{name}/__init__.py": code}, scripts=(name,))


def sdist(name: str, version: str, files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(f"{name}-{version}/{path}")
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return content.getvalue()


@dataclass
class StaticIndex:
    """Files by package, as the index lists them. `asked`: the paths of all requests; `unchanged`: how many of them were
    answered with 304."""

    in_html: bool = False
    asked: list[str] = field(default_factory=list)
    unchanged: int = 0
    _files: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    _content: dict[str, bytes] = field(default_factory=dict)

    def add(self, package: str, file: str, content: bytes, **more: Any) -> None:
        self._content[f"/files/{file}"] = content
        digest = hashlib.sha256(content).hexdigest()
        entry = {"filename": file, "url": f"../../files/{file}", "hashes": {"sha256": digest}, "upload-time": UPLOADED}
        self._files.setdefault(package, []).append(entry | more)

    def yank(self, package: str, file: str) -> None:
        for entry in self._files[package]:
            if entry["filename"] == file:
                entry["yanked"] = "it is broken"

    def answer(self, path: str, etag: str) -> tuple[int, str, str, bytes]:
        """Status, media type, ETag and body."""
        self.asked.append(path)
        if path in self._content:
            return 200, "application/octet-stream", "", self._content[path]
        package = path.removeprefix("/simple/").strip("/")
        if package not in self._files:
            return 404, "text/plain", "", b"no such package"
        body = self._html(package) if self.in_html else self._json(package)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if tag == etag:
            self.unchanged += 1
            return 304, "", tag, b""
        return 200, "text/html" if self.in_html else JSON, tag, body

    def _json(self, package: str) -> bytes:
        page = {"meta": {"api-version": "1.1"}, "name": package, "files": self._files[package], "versions": []}
        return json.dumps(page).encode()

    def _html(self, package: str) -> bytes:
        links = (
            f'<a href="{one["url"]}#sha256={one["hashes"].get("sha256", "")}"'
            + (f' data-yanked="{one["yanked"]}"' if one.get("yanked") else "")
            + f">{one['filename']}</a><br>"
            for one in self._files[package]
        )
        return f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()


class Served(InThread):
    """Answers with what `answer` gives for a path and the ETag that the client knows. `host`: the address of this host
    that it listens on, such as that of the bridge to containers."""

    def __init__(self, answer: Callable[[str, str], tuple[int, str, str, bytes]], host: str = "127.0.0.1") -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # as nginx does: else each body waits 40 ms for an acknowledgement

            def do_GET(self) -> None:
                status, media_type, etag, body = answer(self.path, self.headers.get("if-none-match", ""))
                self.send_response(status)
                for name, value in (("content-type", media_type), ("etag", etag)):
                    if value:
                        self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{server.server_address[1]}"
        super().__init__(server)

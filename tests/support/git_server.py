"""Git's own http-backend (git-http-backend(1)) on 127.0.0.1, for repositories that not everybody may read, and a server
of Git LFS beside it (git-lfs, docs/api/batch.md)."""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.support.in_thread import InThread

WITHIN_S = 60


class GitServer(InThread):
    """Serves the repositories in a folder, to whom has the token alone, and the files of LFS in its folder `lfs`, by
    their digests. `asked`: how requests were authorised. `paths`: what was asked for. `is_old`: it knows the first
    version of the protocol alone."""

    def __init__(self, folder: Path, token: str, certificate: Path | None = None, *, is_old: bool = False) -> None:
        asked, paths = list[str](), list[str]()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # as nginx does: else each body waits 40 ms for an acknowledgement

            def do_GET(self) -> None:
                self._answer(b"")

            def do_POST(self) -> None:
                self._answer(self.rfile.read(int(self.headers.get("content-length", 0))))

            def _answer(self, body: bytes) -> None:
                authorization = self.headers.get("authorization", "")
                asked.append(authorization)
                paths.append(self.path)
                _, _, password = base64.b64decode(authorization.partition(" ")[2]).decode().partition(":")
                if password != token:
                    self.send_response(401)
                    self.send_header("www-authenticate", 'Basic realm="git"')
                    self.send_header("content-length", "0")
                    self.end_headers()
                    return
                path, _, query = self.path.partition("?")
                if path.startswith("/lfs/") or path.endswith("/info/lfs/objects/batch"):
                    self._answer_lfs(path, body)
                    return
                variables = {
                    "GIT_PROJECT_ROOT": str(folder),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "PATH_INFO": path,
                    "QUERY_STRING": query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("content-type", ""),
                    "GIT_PROTOCOL": "" if is_old else self.headers.get("git-protocol", ""),
                    "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
                    "REMOTE_USER": "ci",
                }
                command = ["git", "-c", "safe.directory=*", "http-backend"]
                said = subprocess.run(
                    command, input=body, env=os.environ | variables, stdout=subprocess.PIPE, timeout=WITHIN_S
                ).stdout
                headers, _, content = said.partition(b"\r\n\r\n")
                lines = [line.split(": ", 1) for line in headers.decode().split("\r\n") if ": " in line]
                status = next((int(value.split()[0]) for name, value in lines if name == "Status"), 200)
                self.send_response(status)
                for name, value in lines:
                    if name != "Status":
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def _answer_lfs(self, path: str, body: bytes) -> None:
                if path.startswith("/lfs/"):
                    file = folder / path[1:]
                    self.send_response(200 if file.is_file() else 404)
                    content, kind = file.read_bytes() if file.is_file() else b"", "application/octet-stream"
                else:
                    wanted = json.loads(body)["objects"]
                    actions = [
                        {"download": {"href": f"http://{self.headers['host']}/lfs/{one['oid']}"}} for one in wanted
                    ]
                    found = [{**one, "actions": action} for one, action in zip(wanted, actions, strict=True)]
                    self.send_response(200)
                    content, kind = json.dumps({"objects": found}).encode(), "application/vnd.git-lfs+json"
                self.send_header("content-type", kind)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.asked, self.paths = asked, paths
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_address[1]}"
        super().__init__(server)


@contextmanager
def redirecting(to: str) -> Iterator[str]:
    """A server that leads every request on; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("location", f"{to}{self.path}")
            self.send_header("content-length", "0")
            self.end_headers()

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with InThread(server):
        yield f"http://127.0.0.1:{server.server_address[1]}"

"""A server that answers as the orchestrator's API does, with what a test gave it: for tests of its clients."""

from __future__ import annotations

import json
import threading
from collections import deque
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

JSON, PROBLEM = "application/json", "application/problem+json"


@dataclass(frozen=True)
class Answer:
    body: bytes
    status: int = 200
    kind: str = JSON


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any = None


@dataclass
class FakeApi:
    """Serves from entry to exit, in threads of its own; a route that was given no answer answers 404.

    `cuts`: after how many events each connection of the event stream is broken off, the first connection first; those
    after the last cut stay open, or are answered with `after_cuts`. `stream_answers` are given to the next requests for
    the stream instead of it.
    """

    events: list[dict[str, Any]] = field(default_factory=list)
    cuts: deque[int] = field(default_factory=deque)
    after_cuts: Answer | None = None
    stream_answers: deque[Answer] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    _answers: dict[tuple[str, str], deque[Answer]] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> FakeApi:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def gives(self, method: str, path: str, body: object, status: int = 200) -> None:
        """Answer such requests with this JSON from now on."""
        self._answers[method, path] = deque([Answer(json.dumps(body).encode(), status)])

    def gives_next(self, method: str, path: str, body: object, status: int = 200) -> None:
        """Answer such requests with this JSON after one was answered with what was given before."""
        self._answers[method, path].append(Answer(json.dumps(body).encode(), status))

    def gives_text(self, method: str, path: str, text: str, status: int = 200) -> None:
        self._answers[method, path] = deque([Answer(text.encode(), status, "text/html")])

    def refuses(self, method: str, path: str, status: int, **problem: object) -> None:
        self._answers[method, path] = deque([problem_answer(status, **problem)])

    def answer_to(self, asked: Asked) -> Answer:
        missing = problem_answer(404, detail=f"No answer for {asked.method} {asked.path}.")
        given = self._answers.get((asked.method, asked.path), deque([missing]))
        return given.popleft() if len(given) > 1 else given[0]

    def requests(self, method: str, path: str) -> list[Asked]:
        return [one for one in self.asked if (one.method, one.path) == (method, path)]

    def wait_for_end(self) -> None:
        self._closing.wait()


def problem_answer(status: int, **problem: object) -> Answer:
    return Answer(json.dumps({"status": status, **problem}).encode(), status, PROBLEM)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    api: FakeApi


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: a test looks at `asked`."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        body = self._body()
        headers = {name.lower(): value for name, value in self.headers.items()}
        is_json = headers.get("content-type", JSON) == JSON
        asked = Asked(
            self.command, parts.path, query, headers, (json.loads(body) if is_json else body) if body else None
        )
        api = self.server.api
        api.asked.append(asked)
        if asked.path != "/v1/events":
            self._answer(api.answer_to(asked))
        elif api.stream_answers:
            self._answer(api.stream_answers.popleft())
        else:
            self._stream(asked)

    def _body(self) -> bytes:
        """Whole, or in chunks (RFC 9112, section 7.1)."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _answer(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.kind)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _stream(self, asked: Asked) -> None:
        """The events after the one that was asked for; then the connection is broken off, or stays open."""
        api = self.server.api
        cut = api.cuts.popleft() if api.cuts else None
        if cut is not None and not api.cuts and api.after_cuts:
            api.stream_answers.append(api.after_cuts)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._chunk(": changeover\n\n")
        after, deployment = int(asked.query.get("after", 0)), asked.query.get("deployment", "")
        wanted = [one for one in api.events if one["id"] > after and deployment in ("", one["deployment"])]
        for event in wanted[:cut]:
            self._chunk(f"id: {event['id']}\nevent: {event['kind']}\ndata: {json.dumps(event)}\n\n")
        if cut is None:
            api.wait_for_end()
        self.close_connection = True

    def _chunk(self, text: str) -> None:
        encoded = text.encode()
        self.wfile.write(f"{len(encoded):x}\r\n".encode() + encoded + b"\r\n")

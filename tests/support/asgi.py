"""One request to an ASGI application in this process, whose answer may have no end."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from urllib.parse import quote, unquote, urlsplit

from fastapi import FastAPI
from starlette.types import ASGIApp, Message

from orchestrator.api import application
from orchestrator.server import Orchestrator

WITHIN_S = 10.0

_routes = cache(application.routes)
"""Made once for all tests: that takes longer than most of them."""


def api_of(orchestrator: Orchestrator) -> FastAPI:
    """The API of this orchestrator, until it is asked for that of another one."""
    api = _routes()
    application.serve(api, orchestrator)
    return api


@dataclass
class Request:
    """Sent at entry; at exit it is cancelled, as by a client that goes away."""

    app: ASGIApp
    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    body: object = None
    address: str = "203.0.113.7"
    _sent: asyncio.Queue[Message | None] = field(default_factory=asyncio.Queue)

    async def __aenter__(self) -> Request:
        self._task = asyncio.create_task(self._run())
        start = await self._next()
        assert start is not None, "there was no answer"
        self.status = int(start["status"])
        self.answered = {name.decode(): value.decode() for name, value in start["headers"]}
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def text(self) -> str:
        """What is left of the answer, to its end."""
        found = b""
        while (message := await self._next()) is not None:
            found += message.get("body", b"")
        return found.decode()

    async def chunk(self) -> str:
        """The next part of the answer; empty at its end."""
        message = await self._next()
        return message.get("body", b"").decode() if message else ""

    async def _next(self) -> Message | None:
        async with asyncio.timeout(WITHIN_S):
            return await self._sent.get()

    async def _run(self) -> None:
        parts = urlsplit(self.url)
        body = b"" if self.body is None else json.dumps(self.body).encode()
        headers = {"host": "api.test", "content-type": "application/json", "content-length": str(len(body))}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "http",
            "path": unquote(parts.path),
            "raw_path": quote(parts.path, safe="/%").encode(),
            "query_string": parts.query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in (headers | self.headers).items()],
            "client": (self.address, 12345),
            "server": ("api.test", 80),
        }
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Message:
            if waiting:
                return waiting.pop()
            await asyncio.Event().wait()
            raise AssertionError

        try:
            await self.app(scope, receive, self._send)
        finally:
            self._sent.put_nowait(None)

    async def _send(self, message: Message) -> None:
        self._sent.put_nowait(message)

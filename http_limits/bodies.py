"""Request bodies: limited in size and in total time, and not read for a caller who is not known."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

READ_WITHIN_S = 15.0
"""The total time for a body, in seconds."""
DRAIN_WITHIN_S = 1.0
DRAIN_BYTES = 2**20
"""So much of a refused body is still read, and thrown away, so that its sender comes to read the answer."""


class TooLarge(Exception):
    """The body is longer than the limit."""


class Gone(Exception):
    """The client has closed the connection."""


class LimitedBodies:
    """Middleware. A body is read whole before the request goes on: at most `most` bytes, within `read_within_s`
    seconds.

    `knows` says whether the sender of a request is known. If not, its body is not read: the request goes on with an
    empty one, and is refused for its missing token. `is_streamed` says of which requests the route itself reads the
    body, within limits of its own.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: int,
        knows: Callable[[Scope], Awaitable[bool]] | None = None,
        read_within_s: float = READ_WITHIN_S,
        is_streamed: Callable[[Scope], bool] = lambda _: False,
    ) -> None:
        self._app = app
        self._read_within_s = read_within_s
        self._most = most
        self._knows = knows
        self._is_streamed = is_streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _has_body(scope):
            await self._app(scope, receive, send)
            return
        try:
            is_streamed = self._is_streamed(scope)
            if _length(scope) > self._most and not is_streamed:
                raise TooLarge
            if self._knows is not None and not await self._knows(scope):
                await self._app(scope, _Replayed(b"", receive), _Lingering(receive, send))
                return
            if is_streamed:
                watched = _Watched(receive)
                await self._app(scope, watched, _Lingering(watched, send))
                return
            async with asyncio.timeout(self._read_within_s):
                body = await _read(receive, self._most)
        except TooLarge:
            await refuse(receive, send, 413, f"The body of the request is longer than {self._most} bytes.")
        except TimeoutError:
            await refuse(
                receive, send, 408, f"The body of the request did not arrive within {self._read_within_s:g} s."
            )
        except Gone:
            return
        else:
            await self._app(scope, _Replayed(body, receive), send)


def _has_body(scope: Scope) -> bool:
    names = {name for name, _ in scope["headers"]}
    return b"transfer-encoding" in names or _length(scope) > 0


def _length(scope: Scope) -> int:
    # h11 has checked that it is a number.
    return next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)


async def _read(receive: Receive, most: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        body += message.get("body", b"")
        if len(body) > most:
            raise TooLarge
        if not message.get("more_body"):
            return bytes(body)


class _Replayed:
    """Gives a body that was read already, then whatever comes after it: the client's disconnect."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        message = await self._receive()
        while message["type"] != "http.disconnect":  # the rest of a body that nobody reads
            message = await self._receive()
        return message


class _Watched:
    """Gives a body as it arrives, and the client's disconnect at once when it has come to its end: nobody waits for
    more."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._has_ended = False

    async def __call__(self) -> Message:
        if self._has_ended:
            return {"type": "http.disconnect"}
        message = await self._receive()
        self._has_ended = message["type"] == "http.disconnect" or not message.get("more_body")
        return message


class _Lingering:
    """Sends an answer, and closes the connection when some of the unread body has been thrown away."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [*message.get("headers", []), (b"connection", b"close")]
            await self._send({**message, "headers": headers})
        elif message["type"] == "http.response.body" and not message.get("more_body"):
            await self._send({**message, "more_body": True})
            await _drain(self._receive)
            await self._send({"type": "http.response.body", "body": b""})
        else:
            await self._send(message)


async def _drain(receive: Receive) -> None:
    drained = 0
    try:
        async with asyncio.timeout(DRAIN_WITHIN_S):
            while drained < DRAIN_BYTES:
                message = await receive()
                if message["type"] == "http.disconnect" or not message.get("more_body"):
                    return
                drained += len(message.get("body", b""))
    except TimeoutError:
        return


async def refuse(receive: Receive, send: Send, status: int, cause: str) -> None:
    """Answer with a problem (RFC 9457), also while the body still arrives: some of it is read and thrown away."""
    problem = {"type": "about:blank", "title": "Request refused", "status": status, "detail": cause, "remedy": ""}
    body = json.dumps(problem).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(body)).encode()),
    ]
    lingering = _Lingering(receive, send)
    await lingering({"type": "http.response.start", "status": status, "headers": headers})
    await lingering({"type": "http.response.body", "body": body})

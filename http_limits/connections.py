"""Connections of a uvicorn server: limited in number, in the time for a request's headers, and in patience."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEADER_BYTES = 64 * 1024
"""The longest head of a request: its line and its headers."""


WEBSOCKET_LINE_BYTES, MOST_WEBSOCKET_LINES = 8000, 100
"""Of the head of a request for a WebSocket: the library reads lines of 8192 bytes and 128 of them."""
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


@dataclass(frozen=True)
class ConnectionLimits:
    """`most` connections are open at once; a further one is closed at once.

    From `most_kept` on, none is kept after its answer: a crowd of clients that each ask once costs no memory for the
    keep-alive time. Headers arrive within `headers_within_s` seconds. A client that takes nothing of its answer for
    `stalled_s` seconds is disconnected; so is an event stream that nobody reads.
    """

    most: int
    most_kept: int
    headers_within_s: float = 10.0
    stalled_s: float = 30.0


def limited(limits: ConnectionLimits) -> type[H11Protocol]:
    """The class for uvicorn's `http`. uvicorn creates an object of it for each connection."""

    class LimitedConnection(H11Protocol):
        _head_timer: asyncio.TimerHandle | None = None
        _stall_timer: asyncio.TimerHandle | None = None
        _is_upgraded = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as H11Protocol
            super().connection_made(transport)
            if len(self.connections) > limits.most:
                transport.abort()
                return
            self._await_head()

        def connection_lost(self, exc: Exception | None) -> None:
            self._end_await_head()
            self._end_await_reader()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            before = self.cycle
            super().data_received(data)
            if self.cycle is not before and len(self.connections) >= limits.most_kept:
                close = (b"connection", b"close")
                self.cycle.default_headers = [*self.cycle.default_headers, close]
            if self._is_busy() or self._is_upgraded:
                self._end_await_head()
            elif self._head_timer is None and not self.transport.is_closing():
                self._await_head()

        def handle_websocket_upgrade(self, event: h11.Request) -> None:
            """The connection is a WebSocket now, and no head of a request follows.

            A head that the library of WebSockets would not read is refused here: uvicorn neither answers it nor ends
            the connection, which would count for ever. So would one whose handshake has no end.
            """
            self._is_upgraded = True
            lines = [event.target, *(name + value for name, value in event.headers)]
            if len(lines) > MOST_WEBSOCKET_LINES or max(map(len, lines)) > WEBSOCKET_LINE_BYTES:
                self._end_await_head()
                self.transport.write(TOO_LARGE)
                self.transport.close()
                return
            super().handle_websocket_upgrade(event)
            self.loop.call_later(limits.headers_within_s, _end_if_no_websocket, self.transport)

        def pause_writing(self) -> None:
            super().pause_writing()
            if self._stall_timer is None:
                self._stall_timer = self.loop.call_later(limits.stalled_s, self.transport.abort)

        def resume_writing(self) -> None:
            super().resume_writing()
            self._end_await_reader()

        def _await_head(self) -> None:
            self._head_timer = self.loop.call_later(limits.headers_within_s, self.transport.abort)

        def _end_await_head(self) -> None:
            if self._head_timer is not None:
                self._head_timer.cancel()
                self._head_timer = None

        def _end_await_reader(self) -> None:
            if self._stall_timer is not None:
                self._stall_timer.cancel()
                self._stall_timer = None

        def _is_busy(self) -> bool:
            return self.cycle is not None and not self.cycle.response_complete

    return LimitedConnection


def _end_if_no_websocket(transport: asyncio.Transport) -> None:
    """End the connection if it has not become a WebSocket yet."""
    if not getattr(transport.get_protocol(), "handshake_complete", True):
        transport.abort()


def uvicorn_options(limits: ConnectionLimits) -> dict[str, Any]:  # Any: the arguments of uvicorn.run
    """The arguments of `uvicorn.run` for these limits. `timeout_keep_alive` is the caller's."""
    return {
        "http": limited(limits),
        "h11_max_incomplete_event_size": HEADER_BYTES,
        "limit_concurrency": limits.most,
    }

"""What a container has in hand: requests, uploads, streams and WebSockets, counted by kind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class InHand:
    """How many of each kind are under way.

    `uploads`: the client still sends the request. `requests`: the app has the whole request and has not begun to
    answer. `streams`: the app has begun to answer: a download, server-sent events. `websockets`: any connection that
    was upgraded.
    """

    requests: int = 0
    uploads: int = 0
    streams: int = 0
    websockets: int = 0

    def __add__(self, other: InHand) -> InHand:
        return InHand(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    @property
    def total(self) -> int:
        return self.requests + self.uploads + self.streams + self.websockets

    def __str__(self) -> str:
        """For messages: '2 requests, 1 WebSocket'; 'nothing' if there is nothing."""
        counted = (
            (self.requests, "request"),
            (self.uploads, "upload"),
            (self.streams, "stream"),
            (self.websockets, "WebSocket"),
        )
        return (
            ", ".join(f"{number} {name}{'s' if number > 1 else ''}" for number, name in counted if number) or "nothing"
        )


def total_of(parts: Iterable[InHand]) -> InHand:
    return sum(parts, start=InHand())

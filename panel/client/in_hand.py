"""What a container has in hand, or had when it was cut: counts by kind."""

from __future__ import annotations

from panel.client.value import Value


class InHand(Value):
    """`requests` have no answer yet, `uploads` are still being sent, `streams` are answers that have begun, and
    `websockets` are any upgraded connections."""

    requests: int = 0
    uploads: int = 0
    streams: int = 0
    websockets: int = 0

    @property
    def total(self) -> int:
        return self.requests + self.uploads + self.streams + self.websockets

    @property
    def in_words(self) -> str:
        """Such as '2 requests, 1 WebSocket'; 'nothing' if there is nothing."""
        counted = (
            (self.requests, "request"),
            (self.uploads, "upload"),
            (self.streams, "stream"),
            (self.websockets, "WebSocket"),
        )
        return (
            ", ".join(f"{number} {name}{'s' if number > 1 else ''}" for number, name in counted if number) or "nothing"
        )

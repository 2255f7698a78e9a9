"""Lines that builds and sidecars print, on their way to the event stream."""

from __future__ import annotations

import asyncio

from orchestrator.events import EventStream

GATHER_S = 0.05


class Output:
    """Gathers lines for a moment: a build prints hundreds, and each batch is one write to the journal."""

    def __init__(self, events: EventStream) -> None:
        self._events = events
        self._waiting: list[tuple[str, str, str, dict[str, object]]] = []
        self._flush: asyncio.TimerHandle | None = None

    def say(self, deployment_id: str, line: str) -> None:
        """To be called in the event loop's thread."""
        self._waiting.append(("line", "", deployment_id, {"line": line}))
        if self._flush is None:
            self._flush = asyncio.get_running_loop().call_later(GATHER_S, self._publish)

    def _publish(self) -> None:
        self._flush = None
        waiting, self._waiting = self._waiting, []
        self._events.publish_all(waiting)

"""The crashes of app containers, from the engine's events."""

from __future__ import annotations

from orchestrator.clock import elapsed
from orchestrator.domain import crashes
from orchestrator.engine.base import ContainerEvent

ASKED_WITHIN_S = 60.0
"""How long after a signal that somebody sent the end of a container is no crash, in seconds."""
MOST_CONTAINERS = 1000


class Crashes:
    """Remembers when containers ended without being asked to. Implements Listener; used on the event loop only."""

    def __init__(self) -> None:
        self._ended: dict[str, list[float]] = {}
        self._asked: dict[str, float] = {}
        self._totals: dict[str, int] = {}

    def heard(self, event: ContainerEvent) -> None:
        """Docker reports `kill` for each signal that is sent by its API, then `die` when the container has ended."""
        now = elapsed()
        match event.action:
            case "kill":
                self._asked[event.container] = now
            case "die":
                # A signal explains one end, also of what a rollback starts again soon after.
                if now - self._asked.pop(event.container, -ASKED_WITHIN_S) >= ASKED_WITHIN_S:
                    kept = crashes.recent(self._ended.pop(event.container, []), now)
                    self._ended[event.container] = [*kept, now]
                    self._totals[event.app] = self.total(event.app) + 1
            case "destroy":
                self._ended.pop(event.container, None)
                self._asked.pop(event.container, None)
        while len(self._ended) > MOST_CONTAINERS:
            del self._ended[next(iter(self._ended))]

    def missed(self) -> None:
        """What was missed is not counted."""

    def count(self, container: str) -> int:
        """How often the container crashed in the last ten minutes."""
        return len(crashes.recent(self._ended.get(container, []), elapsed()))

    def total(self, app: str) -> int:
        """How often containers of the app crashed since the orchestrator's start."""
        return self._totals.get(app, 0)

    def is_loop(self, container: str) -> bool:
        return crashes.is_loop(self._ended.get(container, []), elapsed())

    def hold_left_s(self, container: str) -> float:
        """How long the container must go on running before it gets the traffic back, in seconds."""
        ended = self._ended.get(container, [])
        if not ended:
            return 0.0
        now = elapsed()
        return max(0.0, crashes.hold_s(ended, now) - (now - ended[-1]))

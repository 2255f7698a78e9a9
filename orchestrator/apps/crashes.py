"""The crashes of app containers, and which of them have ended, from the engine's events."""

from __future__ import annotations

from orchestrator.clock import elapsed
from orchestrator.domain import crashes
from orchestrator.engine.base import ContainerEvent

ASKED_WITHIN_S = 60.0
"""How long after a signal that somebody sent the end of a container is no crash, in seconds."""
MOST_CONTAINERS = 1000


class Crashes:
    """Remembers which containers have ended, and when they did so without being asked to.

    Implements Listener; used on the event loop only.
    """

    def __init__(self) -> None:
        self._ended: dict[str, list[float]] = {}
        self._asked: dict[str, float] = {}
        self._totals: dict[str, int] = {}
        self._gone: dict[str, None] = {}
        """In the order in which they ended."""

    def heard(self, event: ContainerEvent) -> None:
        """Docker reports `kill` for each signal that is sent by its API, then `die` when the container has ended."""
        now = elapsed()
        match event.action:
            case "kill":
                self._asked[event.container] = now
            case "start":
                self._gone.pop(event.container, None)
            case "die":
                self._gone[event.container] = None
                # A signal explains one end, also of what a rollback starts again soon after.
                if now - self._asked.pop(event.container, -ASKED_WITHIN_S) >= ASKED_WITHIN_S:
                    kept = crashes.recent(self._ended.pop(event.container, []), now)
                    self._ended[event.container] = [*kept, now]
                    self._totals[event.app] = self.total(event.app) + 1
            case "destroy":
                self._ended.pop(event.container, None)
                self._asked.pop(event.container, None)
                self._gone.pop(event.container, None)
        while len(self._gone) > MOST_CONTAINERS:
            del self._gone[next(iter(self._gone))]
        while len(self._ended) > MOST_CONTAINERS:
            del self._ended[next(iter(self._ended))]

    def missed(self) -> None:
        """What was missed is not counted, and who was gone may be back."""
        self._gone.clear()

    def seen_running(self, container: str) -> None:
        """The engine was asked, and said that it runs: that it started was missed."""
        self._gone.pop(container, None)

    def is_gone(self, container: str) -> bool:
        """Whether the engine has said that it ended, and not yet that it runs again.

        False is no word of the engine's: who must know asks it. It answers only when it has tidied up after a container
        that ended, 0.3 s later, on a busy machine a second.
        """
        return container in self._gone

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

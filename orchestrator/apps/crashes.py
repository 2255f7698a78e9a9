"""The crashes of app containers, and which of them have ended, from the engine's events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orchestrator.clock import elapsed
from orchestrator.domain import crashes
from orchestrator.engine.base import KILLED, ContainerEvent

ASKED_WITHIN_S = 60.0
"""How long after a signal that somebody sent the end of a container is no crash, in seconds."""
MOST_CONTAINERS = 1000
BELIEVED_FOR_S = 5.0
"""How long an end is believed without asking the engine, in seconds. By then it has tidied up and answers; that the
container was started again may have been lost, with the engine's stream of events."""


@dataclass(frozen=True)
class End:
    """How a container ended, as far as it was heard: `oom` may be heard later, or not."""

    exit_code: int
    oom: bool

    @property
    def in_words(self) -> str:
        """As the end of a sentence about the container."""
        return crashes.ended_in_words(self.exit_code, oom=self.oom)

    @property
    def is_whole(self) -> bool:
        return self.oom or self.exit_code != KILLED


class Crashes:
    """Remembers which containers have ended, and when they did so without being asked to.

    Implements Listener; used on the event loop only.
    """

    def __init__(self) -> None:
        self._ended: dict[str, list[float]] = {}
        self._asked: dict[str, float] = {}
        self._totals: dict[str, int] = {}
        self._gone: dict[str, float] = {}
        """When they ended, in that order."""
        self._oom: dict[str, None] = {}
        """In which a process has exceeded the memory limit since they were started."""
        self._why: dict[str, End] = {}
        """How they ended the last time."""

    def heard(self, event: ContainerEvent) -> None:
        """Docker reports `kill` for each signal that is sent by its API, then `die` when the container has ended."""
        now = elapsed()
        match event.action:
            case "kill":
                self._asked[event.container] = now
            case "oom":
                self._oom[event.container] = None
            case "start":
                self._gone.pop(event.container, None)
                self._oom.pop(event.container, None)
            case "die":
                self._gone.pop(event.container, None)
                self._gone[event.container] = now
                self._remember_why(event)
                # A signal explains one end, also of what a rollback starts again soon after.
                if now - self._asked.pop(event.container, -ASKED_WITHIN_S) >= ASKED_WITHIN_S:
                    kept = crashes.recent(self._ended.pop(event.container, []), now)
                    self._ended[event.container] = [*kept, now]
                    self._totals[event.app] = self.total(event.app) + 1
            case "destroy":
                self._ended.pop(event.container, None)
                self._asked.pop(event.container, None)
                self._gone.pop(event.container, None)
                self._oom.pop(event.container, None)
                self._why.pop(event.container, None)
        for known in (self._ended, self._asked, self._gone, self._oom, self._why):
            _forget_oldest(known)

    def _remember_why(self, event: ContainerEvent) -> None:
        self._why.pop(event.container, None)
        if event.exit_code is not None:
            oom = event.container in self._oom and event.exit_code == KILLED
            self._why[event.container] = End(event.exit_code, oom)

    def missed(self) -> None:
        """What was missed is not counted, who was gone may be back, and who ended may have ended again since."""
        for known in (self._gone, self._oom, self._why):
            known.clear()

    def seen_running(self, container: str) -> None:
        """The engine was asked, and said that it runs: that it started was missed."""
        self._gone.pop(container, None)

    def is_gone(self, container: str) -> bool:
        """Whether the engine has said that it ended, and not yet that it runs again.

        False is no word of the engine's: who must know asks it. It answers only when it has tidied up after a container
        that ended, 0.3 s later, on a busy machine a second.
        """
        return elapsed() - self._gone.get(container, -BELIEVED_FOR_S) < BELIEVED_FOR_S

    def last_end(self, container: str) -> End | None:
        """How it ended the last time; None if that was not heard.

        The engine, asked later, says code 0 of a container that it has started again.
        """
        return self._why.get(container)

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


def _forget_oldest(known: dict[str, Any]) -> None:  # Any: what is known does not matter
    while len(known) > MOST_CONTAINERS:
        del known[next(iter(known))]

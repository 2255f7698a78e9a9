"""Why a standby is stopped although it is to be paused."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class NotPaused:
    """The container that could not be paused the last time, and why. It stays stopped: each try starts it.

    It is tried again when a release went live or data was restored, the app's configuration has changed, the engine
    or the orchestrator was started again, or a person has started the container. Used on the event loop only.
    """

    container: str = ""
    why: str = ""

    def say(self, container: str, why: str) -> None:
        self.container, self.why = container, why

    def why_of(self, container: str) -> str:
        """Empty if it was not tried, or was paused at the last try."""
        return self.why if container == self.container else ""

    def forget(self) -> None:
        self.container = self.why = ""

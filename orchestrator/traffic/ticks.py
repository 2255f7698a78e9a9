"""The results of each app's last probes, as a row of signs."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection

KEPT = 50
GOOD, BAD, UNKNOWN = "+", "-", "?"


class ProbeTicks:
    """`+` for a probe that was answered well, `-` for one that was not, `?` where it could not be known."""

    def __init__(self) -> None:
        self._ticks: dict[str, deque[str]] = {}
        self._new: dict[str, str] = {}

    def add(self, app: str, tick: str) -> None:
        self._ticks.setdefault(app, deque(maxlen=KEPT)).append(tick)
        self._new[app] = (self._new.get(app, "") + tick)[-KEPT:]

    def of(self, app: str) -> str:
        """The oldest first."""
        return "".join(self._ticks.get(app, ()))

    def new(self) -> dict[str, str]:
        """Those since the last call, by app."""
        found, self._new = self._new, {}
        return found

    def keep(self, apps: Collection[str]) -> None:
        """Forget those of other apps."""
        for app in self._ticks.keys() - set(apps):
            del self._ticks[app]

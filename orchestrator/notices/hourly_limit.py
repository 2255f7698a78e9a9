"""How many notices of one app are told within an hour."""

from __future__ import annotations

from collections import Counter, deque
from datetime import datetime, timedelta

import structlog

log = structlog.get_logger()

MOST_OF_APP, OF_APP_WITHIN = 30, timedelta(hours=1)
"""More notices of one app within this time are left out, and the next one says how many: whoever may deploy, or a
source that fails and succeeds in turn, must not flood people."""


class HourlyLimit:
    """Used on the event loop alone. `left_out`: by app, the notices that were left out since the last one that was
    not."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[datetime]] = {}
        self.left_out: Counter[str] = Counter()

    def allows(self, app: str, at: datetime) -> bool:
        """Whether the app has had few notices lately. If not, this one is left out."""
        recent = self._recent.setdefault(app, deque())
        while recent and at - recent[0] > OF_APP_WITHIN:
            recent.popleft()
        if len(recent) < MOST_OF_APP:
            return True
        self.left_out[app] += 1
        log.warning("notice left out: too many of this app", app=app)
        return False

    def count(self, app: str, at: datetime) -> None:
        """A notice of this app is queued, with what was left out before it."""
        self._recent.setdefault(app, deque()).append(at)
        self.left_out.pop(app, None)

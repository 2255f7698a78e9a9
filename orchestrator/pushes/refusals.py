"""What became of deliveries, counted; and refused ones in the log, where nobody must fill the disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from enum import StrEnum

import structlog

from orchestrator.clock import elapsed
from orchestrator.domain.push_check import Forge

log = structlog.get_logger()

LOGGED_A_MINUTE = 20


class Outcome(StrEnum):
    """What became of a delivery."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    IGNORED = "ignored"
    """It is verified, and no push that the app follows."""
    REFUSED = "refused"
    """Its signature or token is wrong, or its body is too long or too slow."""


class PushCounts:
    """Used on the event loop. Deliveries for names that no app has are counted together, under an empty name."""

    def __init__(self, clock: Callable[[], float] = elapsed) -> None:
        self._clock = clock
        self.total: Counter[tuple[str, Forge, Outcome]] = Counter()
        self._since, self._logged, self._left_out = float("-inf"), 0, 0

    def refused(self, app: str, forge: Forge, address: str, why: str) -> None:
        """Count a delivery that was refused, and log it, if not too many were within a minute."""
        self.total[app, forge, Outcome.REFUSED] += 1
        if self._clock() - self._since >= 60:
            self._since, self._logged = self._clock(), 0
        if self._logged >= LOGGED_A_MINUTE:
            self._left_out += 1
            return
        self._logged += 1
        log.warning("push refused", app=app, forge=forge, address=address, why=why, not_logged_before=self._left_out)
        self._left_out = 0

"""What became of an app's failovers: how many there were, why, and how many requests the standby has answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.domain.deployment import Deployment
from orchestrator.errors import EngineError

log = structlog.get_logger()


@dataclass
class Record:
    """The failovers of one app since the orchestrator's start.

    `since` is set while the standby answers, because of `cause`. `counted` is the proxy's count of its answers at the
    last look; it begins again with the proxy.
    """

    times: int = 0
    requests: int = 0
    """How many requests the standby has answered."""
    since: datetime | None = None
    cause: str = ""
    began: float = 0.0
    at_first: int = 0
    """`requests` when this failover began."""
    counted: int = 0

    def count(self, counted: int) -> None:
        self.requests += counted - self.counted if counted >= self.counted else counted
        self.counted = counted


async def why_ended(context: AppContext, active: Deployment) -> str:
    """Asked after the switch: the engine answers late about a container that has just ended, or fails."""
    try:
        status = await context.engine.status(active.container)
    except EngineError as error:
        log.warning("cause of a crash not known", app=context.name, cause=error.cause)
        return f"{active.container} has ended"
    return f"{active.container} {status.why_stopped if status else 'does not exist any more'}"

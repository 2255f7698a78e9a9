"""Whether the active release crashes at this moment, and how often its container ended, in words."""

from __future__ import annotations

from orchestrator.apps.context import AppContext
from orchestrator.domain.counted import counted
from orchestrator.domain.deployment import Deployment


def crash_in_words(context: AppContext, active: Deployment) -> str:
    """As the end of a sentence about the container of the active release: "ended 3 times in ten minutes".

    Empty if the release does not crash: it has its requests, and did not end several times in the last minutes. Must be
    asked before the switch, which ends a failover.
    """
    if not (context.proxy.route(context.name).failed_over or context.crashes.is_loop(active.container)):
        return ""
    count = context.crashes.count(active.container)
    times = "once" if count == 1 else counted(count, "time")
    # Without a number if only an orchestrator before has counted.
    return f"ended {times} in ten minutes" if count else "ended"

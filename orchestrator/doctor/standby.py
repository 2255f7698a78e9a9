"""Whether the standby is kept as configured, and whether it crashed: both make a rollback to it slow or useless."""

from __future__ import annotations

from orchestrator.apps.context import AppContext
from orchestrator.deploy.crashed_standby import no_return
from orchestrator.deploy.park import kept_as
from orchestrator.doctor.report import Finding
from orchestrator.errors import ChangeoverError
from orchestrator.server import Orchestrator


async def stopped_standby(context: AppContext) -> list[Finding]:
    """A standby that is stopped, although it is to be paused or warm. Another one has no finding."""
    standby = context.standby
    if standby is None:
        return []
    try:
        kept, status = kept_as(context, standby), await context.engine.status(standby.container)
    except ChangeoverError:
        return []  # the finding about the engine or the journal says it
    if status is None:
        says = f"its container {standby.container} does not exist any more; it cannot be rolled back to"
        return [Finding(_what(context), True, says, "The next deployment of another release makes one.", warns=True)]
    if kept == "stopped" or status.running:
        return []
    why = context.not_paused.why_of(standby.container) if kept == "paused" else ""
    says = f"{standby.version} is stopped instead of {kept}; a rollback takes the start of its container"
    if not why:
        soon = f"Nothing to do: it is started by itself when nothing else of {context.name} is under way."
        return [Finding(_what(context), True, says, soon, warns=True)]
    remedy = (
        f"Correct that, then start it: docker start {standby.container}. It is paused as soon as it answers and holds "
        f"no lock. If {context.name} cannot be paused, set its key standby to stopped or warm."
    )
    return [Finding(_what(context), True, f"{says}. Why: {why}", remedy, warns=True)]


async def crashed_standby(orchestrator: Orchestrator, context: AppContext) -> list[Finding]:
    """A standby that crashed when it was live, or in the last minutes. Another one has no finding."""
    try:
        crash = await orchestrator.crashed_standbys.of(context)
    except ChangeoverError:
        return []  # the finding about the journal says it
    return [Finding(_what(context), True, crash.says.rstrip("."), no_return(context.name), warns=True)] if crash else []


def _what(context: AppContext) -> str:
    return f"standby of {context.name}"

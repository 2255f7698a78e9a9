"""What a deployment, rollback or restore will cost those who use the app now: said before it is confirmed."""

from __future__ import annotations

from orchestrator.app_data.migrations import needed_by
from orchestrator.apps.context import AppContext
from orchestrator.apps.drain import LONG_LIVED_S
from orchestrator.deploy.plans import DEPLOY, RESTORE, ROLL_BACK_WITH_BACKUP, ROLL_BACK_WITH_DATA, Plan
from orchestrator.domain.schema_history import SchemaChange, change_in_words
from orchestrator.errors import ProxyError


async def cost_of(context: AppContext, plan: Plan) -> list[str]:
    """Sentences: what the active release has in hand now, and what becomes of it. Raises JournalError."""
    active = context.active
    if active is None or active.colour is None:
        return [f"No release of {context.name} is live: nobody is interrupted."]
    try:
        has = str(await context.proxy.in_hand(context.name, active.colour))
    except ProxyError as error:
        has = f"an unknown number of requests ({error.cause})"
    limit = f"{context.config.drain.timeout:g} s (drain.timeout)"
    sentences = [f"{active.version} on {active.colour} has in hand now: {has}."]
    if when := _paused(context, plan):
        sentences.append(
            f"{when} New requests wait. WebSockets, and answers that began more than {LONG_LIVED_S:g} s ago, are cut "
            f"at once; requests and uploads are cut after {limit}.{_stopped(context, plan)}"
        )
        if commands := context.commands.count:
            sentences.append(
                f"Before that, the one-off commands under way ({commands}) may go on for {limit}; then they are ended."
            )
    if plan != RESTORE:
        sentences.append(f"After the switch, what the old release has in hand may go on for {limit}; then it is cut.")
    return sentences


def _stopped(context: AppContext, plan: Plan) -> str:
    """How long the requests wait for the app's containers to stop; empty if they are not stopped, or killed at once."""
    limit_s = context.config.drain.stop_timeout
    if plan not in (RESTORE, ROLL_BACK_WITH_BACKUP) or not limit_s:
        return ""
    return (
        f" They wait, too, while {context.name} is stopped: a container that does not end by itself after SIGTERM is "
        f"killed after {limit_s} s (drain.stop_timeout)."
    )


def _change(context: AppContext) -> str:
    """What a rollback does to the data, which the standby's release cannot run on as it is."""
    change = needed_by(context, context.standby) if context.standby else SchemaChange()
    return "changes the data" if change.is_empty else change_in_words(change)


def _paused(context: AppContext, plan: Plan) -> str:
    """When requests are paused; empty if they are not."""
    if plan in (RESTORE, ROLL_BACK_WITH_BACKUP):
        return "Requests are paused while the data is replaced."
    if plan == ROLL_BACK_WITH_DATA:
        return f"The rollback {_change(context)}. A backup is made first; then requests are paused until the switch."
    settings = context.migrations
    if settings is None or plan != DEPLOY:
        return ""
    if settings.status is not None:
        return "If a pending migration is incompatible, requests are paused from before it until the switch."
    return "" if settings.compatible else "Requests are paused from before the migration until the switch."

"""Decides whether the standby stays when a deployment replaces the active release, which crashes."""

from __future__ import annotations

from orchestrator.app_data import migrations
from orchestrator.apps.context import AppContext
from orchestrator.deploy.crash_in_words import crash_in_words
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.events import EventKind
from orchestrator.domain.standby_events import StandbyStays


async def decide(context: AppContext, deployment: Deployment) -> None:
    """Decide it, before the switch, which ends a failover; publish it as an event of the deployment if it stays.

    It stays if it answers in the place of the active release, or that one is in a crash loop. Otherwise the release
    that is left becomes the standby, as also when the standby crashes itself, has no container any more, or needs
    another change of the data than the release that is left. Raises EngineError or JournalError.
    """
    left, standby = context.active, context.standby
    if left is None or standby is None or left.id != deployment.previous:
        return
    crash = crash_in_words(context, left)
    if not crash:
        return
    if why_not := await _why_not(context, standby, left):
        context.say(deployment.id, f"{why_not}: {left.version} becomes the standby, although its container {crash}")
        return
    told = StandbyStays(standby.version, left.version, f"the container of {left.version} {crash}")
    await context.publish(told, context.name, deployment.id)


async def kept_by(context: AppContext, deployment: Deployment) -> Deployment | None:
    """The standby that stays, as it was decided; None if the release that is left becomes the standby.

    From the journal, so that a switch that is finished after a kill goes by what was decided before it. A standby that
    was removed since does not stay. Raises EngineError or JournalError.
    """
    journal, standby = context.journal, context.standby
    if standby is None or not await journal.beside(journal.with_event, [deployment.id], [EventKind.STANDBY_STAYS]):
        return None
    return standby if await context.engine.status(standby.container) else None


async def _why_not(context: AppContext, standby: Deployment, left: Deployment) -> str:
    """Why the standby cannot stay; empty if it can."""
    if migrations.needed_by(context, standby) != migrations.needed_by(context, left):
        return f"{standby.version} cannot run on the data as {left.version} left it"
    if context.crashes.is_loop(standby.container):
        return f"{standby.version} crashes, too"
    if await context.engine.status(standby.container) is None:
        return f"the container of {standby.version} does not exist any more"
    return ""

"""What deploying an app's next release is expected to take, by its earlier deployments."""

from __future__ import annotations

import structlog

from orchestrator.apps.context import AppContext
from orchestrator.domain.changelog import usual_seconds
from orchestrator.domain.deployment import Deployment, Kind, StepName, StepRecord
from orchestrator.domain.update import Expected
from orchestrator.errors import EngineError, UnknownDeployment
from orchestrator.journal.store import Journal

log = structlog.get_logger()

LOOKED_AT, COUNTED = 50, 10
"""The newest deployments that are looked at, and how many of those that became live are counted."""
AFTER_THE_SWITCH = frozenset([StepName.RETIRE])


async def expected_of(context: AppContext, journal: Journal, *, is_live: bool) -> Expected:
    """By the newest deployments of the app that became live; nothing of a release that is live: most checks find that.

    Raises JournalError.
    """
    if is_live:
        return Expected()
    found = await journal.beside(journal.deployments, context.name, LOOKED_AT)
    live = [one for one in found if one.kind is Kind.DEPLOY and one.live_at][:COUNTED]
    if not live:
        return Expected()
    seconds = usual_seconds([_until_live(one) for one in live])
    return Expected(await _build_bytes(context, journal, live[0]), seconds, len(live))


def _until_live(deployment: Deployment) -> list[StepRecord]:
    return [step for step in deployment.steps if step.name not in AFTER_THE_SWITCH]


async def _build_bytes(context: AppContext, journal: Journal, last: Deployment) -> int | None:
    """What the last build added to the image before it; None if there was none, or an image was removed since."""
    try:
        before = journal.deployment(last.previous).release if last.previous else None
        if not (last.release and last.release.image and before and before.image):
            return None
        return await context.engine.added_bytes(last.release.image, before.image)
    except UnknownDeployment:
        return None
    except EngineError as error:
        # A check says what the source has, also while the engine is away.
        log.warning("the size of the last build is not known", app=context.name, cause=error.cause)
        return None

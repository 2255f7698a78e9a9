"""The image of a live release that was removed, as by `docker image prune --all`: built again from its source."""

from __future__ import annotations

from dataclasses import replace

import structlog

from border.revision import short
from orchestrator.app_data import migrations
from orchestrator.apps.context import AppContext
from orchestrator.deploy.steps.build_again import built_again
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.release import Release
from orchestrator.domain.sentences import sentences
from orchestrator.errors import ChangeoverError, EngineError, StepFailed

log = structlog.get_logger()


async def ensure(context: AppContext) -> None:
    """Build the image of the active release again, if it is needed to bring the app back and does not exist.

    Raises StepFailed with what to do when that is not possible, EngineError or JournalError. May be tried again.
    """
    active = context.active
    if active is None or active.release is None or not await _is_needed(context, active):
        return
    if active.release.image and await context.engine.has_image(active.release.image):
        return
    log.warning("image of the live release is gone, it is built again", app=context.name, release=active.version)
    context.say(active.id, f"the image of {active.version} does not exist any more: it is built again from its source")
    try:
        built = await built_again(context, active, active.release)
    except (StepFailed, EngineError) as error:
        raise _cannot(context, active, active.release, error) from error
    await _record(context, active, built)


async def _is_needed(context: AppContext, active: Deployment) -> bool:
    """Whether a container has to be created from the image: the active one, or a sidecar that migrates the data."""
    if context.migrations is not None and not migrations.needed_by(context, active).is_empty:
        return True
    return await context.engine.status(active.container) is None


async def _record(context: AppContext, active: Deployment, built: Release) -> None:
    """Record the image at the active deployment, and at the one that made its container, as a rollback to it needs."""
    journal = context.journal
    maker = await journal.beside(journal.maker_of, active.container)
    for deployment in {one.id: one for one in (maker, active)}.values():
        current = await journal.beside(journal.recorded, deployment.id)
        await journal.beside(journal.save, replace(current, release=built))


def _cannot(context: AppContext, active: Deployment, release: Release, error: ChangeoverError) -> StepFailed:
    log_lines = error.log if isinstance(error, StepFailed) else ()
    return StepFailed(
        f"The image of {active.version} was removed, and the release cannot be built again from source revision "
        f"{short(release.source_revision)}: {error.cause}",
        sentences(
            error.remedy,
            f"The build is tried again by itself; its output: changeover show {active.id}",
            f"To deploy another release instead: changeover deploy {context.name} --ref REVISION",
        ),
        log=log_lines,
    )

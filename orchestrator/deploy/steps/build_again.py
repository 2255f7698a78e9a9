"""Builds the image of a release that was removed, as by `docker image prune --all`, again from its source."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.apps.context import AppContext
from orchestrator.deploy.by_hand import source_of
from orchestrator.deploy.steps.base import Step
from orchestrator.deploy.steps.build import Build
from orchestrator.deploy.steps.fetch import remove_source
from orchestrator.deploy.steps.prepare import check_disk
from orchestrator.domain.deployment import Deployment, StepName
from orchestrator.domain.release import Release
from orchestrator.domain.sentences import sentences
from orchestrator.errors import EngineError, StepFailed


class BuildAgain(Step):
    """Builds the release of a backup again, before a restore that brings it back. Undo removes its source."""

    name = StepName.BUILD

    def describe(self, context: AppContext) -> str:
        return "Build the backup's release again from its source: its image does not exist any more."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Fetch and build. Adds the image's digest. Raises StepFailed with what can be done without the release."""
        release = deployment.release
        assert release is not None  # the record of such a restore has the backup's release
        check_disk(context)
        context.say(
            deployment.id, f"the image of {release.version} does not exist any more: it is built again from its source"
        )
        try:
            return replace(deployment, release=await built_again(context, deployment, release))
        except (StepFailed, EngineError) as error:
            raise StepFailed(
                f"The image of {release.version} was removed, and the release cannot be built again: {error.cause}",
                sentences(
                    error.remedy,
                    "To bring back the data alone, migrated to the schema of the live release: "
                    f"changeover backup restore {context.name} {deployment.ref}",
                ),
                log=error.log if isinstance(error, StepFailed) else (),
            ) from error

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Remove the fetched source."""
        await remove_source(context, deployment)
        return ""


async def built_again(context: AppContext, deployment: Deployment, release: Release) -> Release:
    """The release with its new image. Raises StepFailed or EngineError."""
    try:
        await _fetch(context, deployment, release)
        built = await Build().run(context, deployment)
    finally:
        await remove_source(context, deployment)
    assert built.release is not None  # Build has just added its image
    return built.release


async def _fetch(context: AppContext, deployment: Deployment, release: Release) -> None:
    """Write the release's source. Asks the source only for what the mirror lacks: it may be away. Raises StepFailed."""
    folder, source = context.source_folder(deployment), source_of(context, release.source_revision)
    try:
        await source.fetch(release.source_revision, folder)
    except StepFailed:
        await source.newest(release.source_revision)
        await source.fetch(release.source_revision, folder)

"""Step 2, fetch: the exact source revision, in a folder of the deployment."""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace

from orchestrator.apps.context import AppContext
from orchestrator.deploy.by_hand import source_of
from orchestrator.deploy.steps.base import Step
from orchestrator.deploy.unchanged import is_live_already, known_run_of, refuse_on_newer_schema
from orchestrator.domain.deployment import Deployment, StepName
from orchestrator.domain.release import Release
from orchestrator.host.uninterrupted import to_its_end
from orchestrator.sources.base import Source
from orchestrator.sources.order import comes_before


class Fetch(Step):
    """Finds the release that was requested, and writes its source into a folder of the deployment."""

    name = StepName.FETCH

    def describe(self, context: AppContext) -> str:
        return f"Fetch the exact release from the app's {context.config.update.source} source."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Fetch the source. Adds the release and its changes since the active release.

        If that release is live already, made from the same configuration, it is added with its image and not fetched.

        Raises StepFailed when the source does not answer or has no such release.
        """
        source = source_of(context, deployment.ref)
        found = await source.newest(deployment.ref)
        context.say(deployment.id, f"{await source.origin()} at {found.release.version}")
        if context.active and await is_live_already(context, deployment, found.release):
            return replace(deployment, release=context.active.release)
        refuse_on_newer_schema(context, deployment, found.release)
        before = context.journal.deployment(deployment.previous).release if deployment.previous else None
        wanted = found.release.source_revision
        if before and await _is_older(context, source, found.release, before):
            context.say(
                deployment.id, f"! {found.release.version} is not newer than {before.version}, which it replaces."
            )
        changelog = await source.changelog(before.source_revision if before else "", wanted)
        await source.fetch(wanted, context.source_folder(deployment))
        known_run = known_run_of(context, found.release)
        return replace(deployment, release=found.release, changes=changelog.recorded, known_run=known_run)

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Remove the fetched source."""
        await remove_source(context, deployment)
        return ""


async def _is_older(context: AppContext, source: Source, wanted: Release, live: Release) -> bool:
    """Whether it is another release, and known to come before the one that is live, or to be as high.

    Nobody may have asked for that: where the newest release was taken back, a deployment without --ref goes back.
    Raises StepFailed.
    """
    if wanted.source_revision == live.source_revision:
        return False
    scheme = context.config.update.ordered_by
    return comes_before(wanted, live, scheme) or await source.is_older(wanted.source_revision, live.source_revision)


async def remove_source(context: AppContext, deployment: Deployment) -> None:
    """Remove the folder of the fetched source, if it exists. The next start removes what cannot be removed now: what
    became of the deployment does not depend on it.
    """
    folder = context.source_folder(deployment)
    if folder.exists():
        try:
            await to_its_end(asyncio.to_thread(shutil.rmtree, folder))
        except OSError as error:
            why = error.strerror or error
            context.say(deployment.id, f"the fetched source cannot be removed, which the next start tries again: {why}")

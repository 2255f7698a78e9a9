"""The steps of a restore: back up the data as it is, replace it by the requested backup's, and resume requests."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from orchestrator.app_data import backups, failed_migrations, migration_runs, migrations, swap
from orchestrator.apps import pause, verification
from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar import reason
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, State, StepName
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome
from orchestrator.errors import NoWayBack
from orchestrator.journal.retry import patiently

NOTHING_REPLACED = "The data is as it was before: nothing of the backup is in place"


class BackUpReplacedData(Step):
    """Checks the requested backup, then pauses requests, stops the app's containers, and backs up the data."""

    name = StepName.BACKUP

    def describe(self, context: AppContext) -> str:
        return "Check every byte of the backup, pause requests, stop the app, and back up the data that is replaced."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Check, pause, stop and back up. Adds `backup`, the id of the backup of the replaced data.

        Raises UnknownBackup, or StepFailed when the requested backup is damaged; both before requests are paused.
        """
        wanted = await backups.check(context, deployment.ref)
        async with context.data_turn:
            deployment = await pause.pause(context, deployment)
            await swap.stop_writers(context, said_by=deployment)
            if context.existing_volumes and not await context.engine.has_volume(context.volume):
                context.say(deployment.id, f"there is no data to back up: the volume {context.volume} is gone")
                return deployment
            active = context.journal.deployment(deployment.previous)
            why = reason.before_restoring(wanted.id)
            replaced = await backups.create(
                context, active, why, keeping=wanted.id, requests_wait=True, on_line=partial(context.say, deployment.id)
            )
        context.say(deployment.id, f"the replaced data is kept as backup {replaced.id}")
        for note in replaced.notes:
            context.say(deployment.id, f"backup {replaced.id}: {note}")
        return replace(deployment, backup=replaced.id, paused_backup=replaced.id)

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Start the app's containers again. Raises StepFailed when the active release does not become ready."""
        await swap.wake_writers(context)
        return "" if deployment.has_begun(ReplaceData.name) else NOTHING_REPLACED


class ReplaceData(Step):
    """Replaces the app's data by the backup's, and migrates it to a schema that the release can run on."""

    name = StepName.MIGRATE

    def describe(self, context: AppContext) -> str:
        return "Replace the data by the backup's, and migrate it to a schema that the release can run on."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Restore and migrate. Raises StepFailed when the restore or a migration fails."""
        await swap.replace_data(context, deployment.ref, by=deployment, replaced=deployment.backup)
        release = await context.journal.beside(context.journal.maker_of, deployment.container)
        if context.migrations is not None:
            if too_new := migrations.needed_by(context, release).down:
                await migrations.down(context, too_new, by=deployment)
            pending = await migrations.pending(context, release)
            if pending != ():
                await migrations.up(context, replace(release, pending=pending), by=deployment)
        return deployment

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Restore the backup of the replaced data, also when only a part of it was replaced.

        Raises StepFailed, and NoWayBack if a person has let requests go since.
        """
        await context.engine.remove_stray_sidecars(context.name)
        await failed_migrations.end_interrupted(context, deployment)
        await swap.settle(context)  # what became of a restore is asked before anything is done about it
        restores = [run for run in migration_runs.runs_of(context, deployment) if run.direction is Direction.RESTORED]
        if not await _may_have_replaced(context, restores):
            return NOTHING_REPLACED
        if not deployment.backup:
            # There was no data before: the volume was gone.
            done = any(run.outcome is Outcome.DONE for run in restores)
            return f"The data of backup {deployment.ref} stays in place: there was none before" if done else ""
        if deployment.resumed_at is not None:
            raise NoWayBack(
                f"The data of backup {deployment.ref} stays in place: requests were resumed by hand, and what was "
                "written since then would be lost.",
                f"To have the data from before it was replaced: changeover backup restore {context.name} "
                f"{deployment.backup}",
            )
        # A container that runs already has files open that are about to be replaced.
        await swap.stop_writers(context, said_by=deployment)
        await swap.replace_data(context, deployment.backup, by=deployment)
        return f"Restored backup {deployment.backup}, made before the data was replaced"


async def _may_have_replaced(context: AppContext, restores: list[MigrationRun]) -> bool:
    """Whether one of these restores, none of which runs any more, may have left another data than was there before.

    One that failed is undone: there may have been no room for it, and there would be none to restore what is there
    already. What the app's own restore command did is not known, nor is anything where the volume is gone.
    """
    if not restores:
        return False
    if context.config.backup is not None or any(run.outcome is not Outcome.FAILED for run in restores):
        return True
    return bool(context.config.run.data) and not await context.engine.has_volume(context.volume)


class ResumeActive(Step):
    """The last step of a restore: verifies the active release on the restored data, and resumes requests."""

    name = StepName.VERIFY

    def describe(self, context: AppContext) -> str:
        return "Verify the active release on the restored data, and resume requests."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Verify and resume. Raises StepFailed with the container's log when the release does not become ready."""
        await verification.verify(context, deployment)
        await swap.wake_writers(context)
        live = replace(deployment, state=State.LIVE, live_at=context.journal.timing.moment(deployment.id))
        await context.journal.beside(context.journal.save, live)
        # Nothing takes that back any more: what follows waits for a journal or a proxy that is away.
        await patiently(lambda: context.journal.beside(context.journal.settle, context.name))
        return await pause.resume_patiently(context, live)

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Remove the preview route."""
        await context.proxy.end_preview(context.name)
        return ""

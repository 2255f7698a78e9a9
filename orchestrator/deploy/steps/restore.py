"""The steps of a restore: what is there is kept as a backup, then replaced by the backup that was asked for."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.app_data import backups, migrations, swap
from orchestrator.apps import pause, verification
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, State, StepName
from orchestrator.domain.schema_history import Direction


class BackUpReplacedData(Step):
    """The wanted backup is checked first, byte by byte; then requests wait, and nobody writes any more."""

    name = StepName.BACKUP

    def describe(self, context: AppContext) -> str:
        return "Check every byte of the backup, pause requests, stop the app, and back up the data that is replaced."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Raises UnknownBackup, or StepFailed when the backup is damaged; then nothing was touched."""
        wanted = await backups.check(context, deployment.ref)
        async with context.data_turn:
            deployment = await pause.pause(context, deployment)
            await swap.stop_writers(context)
            active = context.journal.deployment(deployment.previous)
            reason = f"before restoring {wanted.id}"
            replaced = await backups.create(context, active, reason, keeping=wanted.id, requests_wait=True)
        context.say(deployment.id, f"the replaced data is kept as backup {replaced.id}")
        return replace(deployment, backup=replaced.id)

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        await swap.wake_writers(context)
        return ""


class ReplaceData(Step):
    """The backup's data takes the place of the app's, brought to the schema of the release that goes on with it."""

    name = StepName.MIGRATE

    def describe(self, context: AppContext) -> str:
        return "Replace the data by the backup's, and run the migrations that it lacks."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Raises StepFailed when the backup cannot be put in place or a migration fails."""
        await swap.replace_data(context, deployment.ref, by=deployment)
        release = context.journal.maker_of(deployment.container)
        if context.migrations is not None:
            pending = await migrations.pending(context, release)
            if pending != ():
                await migrations.up(context, replace(release, pending=pending), by=deployment)
        return deployment

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """The data is what it was before, also where only a part of it had been replaced."""
        await context.engine.remove_stray_sidecars(context.name)
        mine = [run for run in context.journal.migrations(context.name) if run.deployment == deployment.id]
        if not deployment.backup or not any(run.direction is Direction.RESTORED for run in mine):
            return ""
        # Who was woken already has the files open that are about to go.
        await swap.stop_writers(context)
        await swap.replace_data(context, deployment.backup, by=deployment)
        return f"Put the data back as it was: backup {deployment.backup}"


class ResumeActive(Step):
    """Of a restore in place: the active release proves itself on the data, and requests go on."""

    name = StepName.VERIFY

    def describe(self, context: AppContext) -> str:
        return "Verify the active release on the restored data, and resume requests."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Raises StepFailed with the container's log."""
        await verification.verify(context, deployment)
        await swap.wake_writers(context)
        live = replace(deployment, state=State.LIVE, live_at=now())
        context.journal.save(live)
        return await pause.resume(context, live)

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        await context.proxy.end_preview(context.name)
        return ""

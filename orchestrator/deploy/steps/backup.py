"""Step 4, backup: a consistent copy of the app's data before anything changes it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial

from orchestrator.app_data import backups, migrations, owners
from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar import reason
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.counted import counted
from orchestrator.domain.deployment import Deployment, StepName

MIB = 1024 * 1024
LEFT_OUT = "links that point outside of the data, pipes, sockets and devices"


class Backup(Step):
    """Backs up the data and asks the app for its pending migrations, both at the same time if possible."""

    name = StepName.BACKUP

    def describe(self, context: AppContext) -> str:
        policy = context.config.update
        if not context.has_data:
            return "Nothing to back up: neither run.data nor backup is set."
        if policy.backup.create_before_update:
            return "Back up the app's data while the app runs, and ask the app for its pending migrations."
        if policy.migrations.backup_before_migration:
            return "Ask the app for its pending migrations, and back up its data if there are any."
        return "No backup (update.backup.create_before_update and migrations.backup_before_migration are off)."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Make the backup that the configuration asks for. Adds `backup`, its id, and `pending`, the migrations.

        After the backup, the data follows a changed user: the app's commands run as that one. Raises StepFailed when
        the backup or the app's status command fails, and EngineError.
        """
        found = deployment.previous or await _has_data_already(context)
        if context.config.run.data and not context.existing_volumes:
            await context.engine.ensure_volume(context.volume)
        policy = context.config.update
        back_up = _back_up if found else _nothing_to_back_up
        follows = await owners.will_follow(context, deployment)
        if follows:
            # A backup first: whoever restores it runs the release before on it, as the user before.
            if policy.backup.create_before_update:
                deployment = await back_up(context, deployment)
            await owners.follow(context, deployment)
        asking = asyncio.ensure_future(migrations.pending(context, deployment))
        try:
            if policy.backup.create_before_update and not follows:
                deployment = await back_up(context, deployment)
            pending = await asking
            may_migrate = context.migrations is not None and pending != ()
            if may_migrate and policy.migrations.backup_before_migration and not policy.backup.create_before_update:
                deployment = await back_up(context, deployment)
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        return replace(deployment, pending=pending)

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Remove the app's sidecars that still exist, and give the data back to the user before. The backup is kept."""
        await context.engine.remove_stray_sidecars(context.name)
        return await owners.take_back(context, deployment)


class BackupBeforeRollback(Backup):
    """The backup before a rollback that changes data. It is always made, whatever `update.backup` says."""

    def describe(self, context: AppContext) -> str:
        return "Back up the app's data while the app runs."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Make the backup. Adds `backup`, its id. Raises StepFailed or EngineError."""
        return await _back_up(context, deployment)


async def _has_data_already(context: AppContext) -> bool:
    """Whether there is data although no release was live: of an earlier installation, or moved here by a person."""
    return bool(context.config.run.data) and await context.engine.has_volume(context.volume)


async def _nothing_to_back_up(context: AppContext, deployment: Deployment) -> Deployment:
    context.say(deployment.id, "nothing to back up")
    return deployment


async def _back_up(context: AppContext, deployment: Deployment) -> Deployment:
    """Make a backup, if the app has data. Raises StepFailed or EngineError."""
    if not context.has_data:
        return await _nothing_to_back_up(context, deployment)
    if not deployment.previous:
        context.say(deployment.id, f"the volume {context.volume} was there before the first release: it is backed up")
    before = context.journal.deployment(deployment.previous or deployment.id)
    if context.data_turn.locked():
        context.say(deployment.id, "waiting for the end of another backup or restore of this app")
    async with context.data_turn:
        why = reason.before(deployment.kind_in_words, deployment.id)
        made = await backups.create(context, before, why, on_line=partial(context.say, deployment.id))
    size = f"{made.data_size / MIB:.1f} MB in {counted(made.files, 'file')}"
    packed = f"{made.archive_size / MIB:.1f} MB packed"
    context.say(deployment.id, f"backup {made.id}: {size}, {packed}")
    if made.left_out:
        left_out = ", ".join(made.left_out)
        context.say(deployment.id, f"not in the backup: {LEFT_OUT}: {left_out}")
    for note in made.notes:
        context.say(deployment.id, f"backup {made.id}: {note}")
    deployment = replace(deployment, backup=made.id)
    # Now: what the step does next may fail, and a backup that nobody knows counts as one of a release that was live.
    await context.journal.beside(context.journal.save, deployment)
    return deployment

"""Step 5, migrate: pending migrations, by the app's own command in a sidecar of the new image.

A migration that the release before can run on is made while that release serves. Any other is made under pause:
requests wait from before it begins until the switch, and whatever fails in between takes the data back first.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.app_data import backups, migrations, swap
from orchestrator.apps import pause
from orchestrator.apps.context import AppContext
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, Kind, StepName
from orchestrator.domain.schema_history import SchemaRevision, change_to, names
from orchestrator.errors import StepFailed


class Migrate(Step):
    name = StepName.MIGRATE

    def describe(self, context: AppContext) -> str:
        settings = context.migrations
        if settings is None:
            return "Nothing to migrate: the app has no migrate command, or migrations are off."
        allowed = (
            "" if context.config.update.migrations.auto_run else ", if the deployment was asked for with --migrate"
        )
        return f"Run pending migrations in a sidecar of the new image: {settings.command}{allowed}."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Raises StepFailed when the migration fails, or may not run because `migrations.auto_run` is off."""
        if context.migrations is None:
            return deployment
        if deployment.pending == ():
            context.say(deployment.id, "nothing to migrate")
            return deployment
        _must_be_allowed(context, deployment)
        if deployment.previous and not _old_release_can_stay(context, deployment.pending):
            deployment = await _pause(context, deployment)
        await migrations.up(context, deployment, by=deployment)
        return deployment

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Bring the data back to what the release needs that had the traffic."""
        await context.engine.remove_stray_sidecars(context.name)
        if context.migrations is None:
            return ""
        await migrations.record_interrupted_runs(context, by=deployment)
        if not deployment.previous:
            return ""
        had_traffic = context.journal.deployment(deployment.previous)
        # `down` takes back, too, what the release before could run on: only the release that failed knows it.
        exactly = deployment.kind is Kind.DEPLOY and context.migrations.down is not None
        wanted = change_to(had_traffic.live_at, context.journal.migrations(context.name), exactly=exactly)
        if wanted.is_empty:
            return _what_stays(context, deployment)
        if wanted.down and context.migrations.down is None and deployment.backup:
            await swap.put_back(context, deployment.backup, by=deployment)
            return f"Put the data back as it was before {names(wanted.down)}; nobody had written since"
        await migrations.change(context, wanted, target=had_traffic, by=deployment)
        done = [f"Took back {names(wanted.down)}"] if wanted.down else []
        done += [f"Migrated again to {names(wanted.up)}"] if wanted.up else []
        return ", ".join(done)


class MigrateForStandby(Migrate):
    """Of a rollback: bring the data to what the standby can run on, under pause."""

    def describe(self, context: AppContext) -> str:
        return "Pause requests, and bring the data to the schema of the standby release."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        deployment = await pause.pause(context, deployment)
        standby = context.journal.maker_of(deployment.container)
        await migrations.change(context, migrations.needed_by(context, standby), target=standby, by=deployment)
        return deployment


async def _pause(context: AppContext, deployment: Deployment) -> Deployment:
    """Nobody writes any more. Without `migrate.down` the way back is a backup made now, which loses no write."""
    if context.migrations is None or context.migrations.down is not None:
        return await pause.pause(context, deployment)
    async with context.data_turn:
        deployment = await pause.pause(context, deployment)
        before = context.journal.deployment(deployment.previous)
        reason = f"under pause, before deployment {deployment.id} migrates"
        manifest = await backups.create(context, before, reason, requests_wait=True)
    deployment = replace(deployment, backup=manifest.id)
    context.journal.save(deployment)
    return deployment


def _old_release_can_stay(context: AppContext, pending: tuple[SchemaRevision, ...] | None) -> bool:
    if pending is None:
        return context.migrations is None or context.migrations.compatible
    return all(one.compatible for one in pending)


def _must_be_allowed(context: AppContext, deployment: Deployment) -> None:
    if context.config.update.migrations.auto_run or deployment.migrate or not deployment.previous:
        return
    what = "may have migrations to run" if deployment.pending is None else f"has to run {names(deployment.pending)}"
    raise StepFailed(
        f"This release {what}, and update.migrations.auto_run of {context.name} is off.",
        f"Run them with: changeover deploy {context.name} --migrate",
    )


def _what_stays(context: AppContext, deployment: Deployment) -> str:
    revisions = migrations.applied_by(context, deployment)
    return f"Left {names(revisions)} in place: the release before runs on it" if revisions else ""

"""Step 5, migrate: pending migrations, by the app's own command in a sidecar of the new image.

A compatible migration runs while the active release serves requests. For an incompatible one, requests are paused from
before it begins until the switch; if a step fails in between, the migration is reverted before requests are resumed.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from orchestrator.app_data import backups, failed_migrations, migration_runs, migrations, way_back
from orchestrator.app_data.way_down import can_be_reverted
from orchestrator.apps import pause
from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar import reason
from orchestrator.deploy.steps.base import Step
from orchestrator.domain.deployment import Deployment, StepName
from orchestrator.domain.schema_history import SchemaRevision, names
from orchestrator.errors import StepFailed


class Migrate(Step):
    """Runs the pending migrations of the release that is deployed."""

    name = StepName.MIGRATE

    def describe(self, context: AppContext) -> str:
        settings = context.migrations
        if settings is None:
            return "Nothing to migrate: the app has no migrate command, or migrations are off."
        allowed = "" if context.config.update.migrations.auto_run else ", if the deployment has the option --migrate"
        return f"Run pending migrations in a sidecar of the new image: {settings.command}{allowed}."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Run the pending migrations, with requests paused if one of them is incompatible.

        Raises StepFailed when a migration fails, or may not run because `update.migrations.auto_run` is off, and
        EngineError.
        """
        if context.migrations is None:
            return deployment
        await failed_migrations.name_what_stands(context, by=deployment)
        if deployment.pending == ():
            context.say(deployment.id, "nothing to migrate")
            return deployment
        _must_be_allowed(context, deployment)
        if deployment.previous and not _old_release_can_stay(context, deployment.pending):
            can_revert = context.migrations.down is not None and deployment.pending is not None
            deployment = await _pause(context, deployment, can_revert=can_revert)
        await migrations.up(context, deployment, by=deployment)
        return deployment

    async def undo(self, context: AppContext, deployment: Deployment) -> str:
        """Take back what the migration committed, also if it failed half-way or was killed.

        By `migrate.down`, or else by the backup that was made while requests were paused. Raises NoWayBack if neither
        is possible, StepFailed, EngineError or ProxyError.
        """
        await context.engine.remove_stray_sidecars(context.name)
        if context.migrations is None or not migration_runs.runs_of(context, deployment):
            return ""
        found = await failed_migrations.find_out(context, by=deployment)
        said = await way_back.take_back(context, deployment, found)
        return ". ".join(dict.fromkeys([*(one.rstrip(".") for one in found.says), *(one.rstrip(".") for one in said)]))


class MigrateForStandby(Migrate):
    """The migration of a rollback: brings the data to a schema on which the standby can run."""

    def describe(self, context: AppContext) -> str:
        return "Pause requests, and bring the data to the schema of the standby release."

    async def run(self, context: AppContext, deployment: Deployment) -> Deployment:
        """Pause requests, then revert and apply migrations. Raises StepFailed when one fails."""
        standby = await context.journal.beside(context.journal.maker_of, deployment.container)
        needed = migrations.needed_by(context, standby)
        has_down = context.migrations is None or context.migrations.down is not None
        can_revert = has_down and (not needed.up or can_be_reverted(context, needed.up))
        deployment = await _pause(context, deployment, can_revert=can_revert)
        await migrations.change(context, needed, target=standby, by=deployment)
        return deployment


async def _pause(context: AppContext, deployment: Deployment, *, can_revert: bool) -> Deployment:
    """Pause requests. Make a backup then, so that undo can restore it without losing writes.

    No backup is made if `migrate.down` can revert the migration, which it can if its schema revisions are known.
    """
    if can_revert or not context.has_data:
        return await pause.pause(context, deployment)
    async with context.data_turn:
        deployment = await pause.pause(context, deployment)
        before = context.journal.deployment(deployment.previous)
        why = reason.before_migration(deployment.kind_in_words, deployment.id)
        made = await backups.create(
            context, before, why, requests_wait=True, on_line=partial(context.say, deployment.id)
        )
    deployment = replace(deployment, backup=made.id, paused_backup=made.id)
    await context.journal.beside(context.journal.save, deployment)
    return deployment


def _old_release_can_stay(context: AppContext, pending: tuple[SchemaRevision, ...] | None) -> bool:
    if pending is None:
        return context.migrations is None or context.migrations.compatible
    return all(one.compatible for one in pending)


def _must_be_allowed(context: AppContext, deployment: Deployment) -> None:
    if context.config.update.migrations.auto_run or deployment.migrate or not deployment.previous:
        return
    pending = deployment.pending
    what = "may have pending migrations" if pending is None else f"has pending migrations: {names(pending)}"
    raise StepFailed(
        f"Migrations may not run: update.migrations.auto_run of {context.name} is off, and this release {what}.",
        f"Allow them: changeover deploy {context.name} --migrate",
    )

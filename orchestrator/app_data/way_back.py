"""Taking back what a failed deployment did to the data, or saying exactly what stands and what a person can do.

A restore must not lose a write that a client was told of. So a backup is restored here only if requests have been
paused since before it was made; otherwise a person decides.
"""

from __future__ import annotations

from orchestrator.app_data import failed_migrations, migration_runs, migrations, swap
from orchestrator.app_data.backup_about import made_at
from orchestrator.app_data.failed_migrations import SCHEMA_AS_BEFORE, Found, Stands, only_we_write
from orchestrator.apps.context import AppContext
from orchestrator.clock import now
from orchestrator.domain.deployment import Deployment, Kind, Serving
from orchestrator.domain.schema_history import Direction, Outcome, SchemaChange, applied, change_to, names
from orchestrator.domain.unsettled import Unsettled
from orchestrator.errors import ChangeoverError, NoWayBack, StepFailed


async def take_back(context: AppContext, deployment: Deployment, found: Found) -> list[str]:
    """Bring the data back to what the release before can run on. Returns sentences that say what was done.

    Raises NoWayBack if only a person can decide, StepFailed, EngineError or ProxyError.
    """
    if not deployment.previous:
        return [await _as_it_was_found(context, deployment, found)]
    before = context.journal.deployment(deployment.previous)
    if found.unnamed is not None:
        return await _unnamed(context, deployment, before, found)
    # `down` reverts compatible revisions, too: only the release that failed knows how.
    can_revert = context.migrations is not None and context.migrations.down is not None
    exactly = deployment.kind is Kind.DEPLOY and can_revert
    wanted = _to_what_was(context, deployment) if exactly else migrations.needed_by(context, before)
    if wanted.is_empty:
        return _what_stays(context, deployment, before, found)
    if wanted.down and not can_revert:
        return [await _by_backup(context, deployment, _names_stand(wanted, before), names(wanted.down))]
    try:
        await migrations.change(context, wanted, target=before, by=deployment, checked=True)
    except StepFailed as error:
        if not await only_we_write(context, deployment):
            raise _and_what_stands(context, deployment, before, error) from error
        return [
            f"{error.cause}",
            await _by_backup(context, deployment, _names_stand(wanted, before), names(wanted.down)),
        ]
    if wanted.down and found.says:
        # A down command takes back whole migrations. The one at which it failed may have left a part.
        stands, says = await failed_migrations.compared_now(context, deployment)
        if stands is Stands.A_PART:
            says = f"{names(wanted.down)} is reverted, but the data is not as before. {says}"
            return [says, await _by_backup(context, deployment, says, names(wanted.down))]
    done = [f"Reverted {names(wanted.down)}"] if wanted.down else []
    return [*done, *([f"Migrated again to {names(wanted.up)}"] if wanted.up else [])]


def _to_what_was(context: AppContext, deployment: Deployment) -> SchemaChange:
    """The change to exactly the schema that the data had before the deployment's migrations.

    That may be newer than the release before knows, which then was rolled back to.
    """
    first = migration_runs.runs_of(context, deployment)[0]
    return change_to(first.id - 1, None, context.journal.migrations(context.name), exactly=True)


async def _as_it_was_found(context: AppContext, deployment: Deployment, found: Found) -> str:
    """Before the first release, nobody writes to the data: the backup that was made of it can be put back."""
    # A command that succeeded may have committed something, although it has reported no names.
    succeeded = [run for run in migration_runs.runs_of(context, deployment) if run.outcome is Outcome.DONE]
    if found.unnamed is None and not succeeded:
        return f"{context.name} had no release before, and its data is as it was found"
    if not deployment.backup:
        return f"{context.name} had no release before: what the migration committed stays"
    await swap.put_back(context, deployment.backup, by=deployment)
    return f"Restored backup {deployment.backup}, made of the data as it was found"


def left_by(
    context: AppContext, deployment: Deployment, error: ChangeoverError | None, serving: Serving | None
) -> Unsettled | None:
    """What a failed deployment leaves in the data, after its undo ended with `error`, or without one.

    Without an error, what stands is only a problem if the active release does not answer. What was unsettled before
    stays, with its backup: a newer one has what is to be settled. Raises JournalError.
    """
    known = context.journal.unsettled(context.name)
    if known is not None:
        return known
    backup = deployment.paused_backup or deployment.backup
    if error is not None:
        remedy = error.remedy if isinstance(error, NoWayBack) else remedy_of(context, deployment)
        return Unsettled(deployment.id, now(), error.cause, remedy, backup)
    mine = {one.revision for one in migration_runs.applied_by(context, deployment)}
    stands = [one for one in applied(context.journal.migrations(context.name)) if one.revision in mine]
    if not stands or serving is None or serving.answers:
        return None
    says = f"{names(stands)} of the failed deployment stands in the data. {serving.says}"
    return Unsettled(deployment.id, now(), says, remedy_of(context, deployment), backup)


def remedy_of(context: AppContext, deployment: Deployment) -> str:
    """The commands with which a person settles what a failed deployment left."""
    accept = f"If the data is right, or you have corrected it by another way: changeover migrate accept {context.name}"
    backup = deployment.paused_backup or deployment.backup
    if not backup:
        return (
            "No backup was made before. Correct the data by the app's own tool, or deploy a release whose migrations "
            f"succeed. {accept}"
        )
    made = made_at(backup)
    moment = f" at {made:%Y-%m-%d %H:%M:%S} UTC," if made else ""
    return (
        f"Restore the data as it was{moment} before the migration: "
        f"changeover backup restore {context.name} {backup}. What was written since then is kept in a new backup, and "
        f"is not in the data afterwards. {accept}"
    )


async def _unnamed(context: AppContext, deployment: Deployment, before: Deployment, found: Found) -> list[str]:
    """Take back what has no names: by the backup made under pause, by the tool itself, or not at all."""
    stands = " ".join(found.says)
    if await only_we_write(context, deployment):
        return [*found.says, await _by_backup(context, deployment, stands, "the migration")]
    if found.only_rows and found.unnamed is Direction.UP:
        # A way down would revert what was there before.
        raise NoWayBack(stands, remedy_of(context, deployment))
    try:
        if found.unnamed is Direction.DOWN:
            await migrations.up(context, before, by=deployment)
            return [*found.says, f"The migrate command of {before.version} ran again and succeeded"]
        await migrations.down_to_what_was(context, by=deployment)
    except StepFailed as error:
        raise NoWayBack(stands, remedy_of(context, deployment)) from error
    still, sentence = await failed_migrations.compared_now(context, deployment)
    if still not in SCHEMA_AS_BEFORE:
        raise NoWayBack(f"{stands} migrate.down did not take it back.", remedy_of(context, deployment))
    return [*found.says, f"Reverted by migrate.down: {sentence}"]


async def _by_backup(context: AppContext, deployment: Deployment, stands: str, what: str) -> str:
    """Restore the backup made under pause, before `what`. Raises NoWayBack if requests were served since."""
    if not await only_we_write(context, deployment):
        raise NoWayBack(stands, remedy_of(context, deployment))
    await swap.put_back(context, deployment.paused_backup, by=deployment)
    return (
        f"Restored backup {deployment.paused_backup}, made before {what} with requests paused, so that no write is lost"
    )


def _names_stand(wanted: SchemaChange, before: Deployment) -> str:
    return (
        f"{names(wanted.down)} stands in the data, {before.version} cannot run on it, and it cannot be reverted "
        "without migrate.down."
    )


def _and_what_stands(context: AppContext, deployment: Deployment, before: Deployment, error: StepFailed) -> StepFailed:
    """The error of a way back that failed, with what stands in the data now."""
    wanted = migrations.needed_by(context, before)
    stands = f" {names(wanted.down)} stands in the data, and {before.version} cannot run on it." if wanted.down else ""
    return StepFailed(
        f"{error.cause}{stands}",
        error.remedy or remedy_of(context, deployment),
        log=error.log,
        exit_code=error.exit_code,
        oom=error.oom,
    )


def _what_stays(context: AppContext, deployment: Deployment, before: Deployment, found: Found) -> list[str]:
    """Raises NoWayBack if a part of the schema revision at which the migration failed may stand beside what stays."""
    revisions = migration_runs.applied_by(context, deployment)
    if not revisions:
        return []
    kept = f"Kept {names(revisions)}: the app reports that {before.version} can run on it"
    if found.perhaps is not None:
        raise NoWayBack(f"{' '.join(found.says)} {kept}.", remedy_of(context, deployment))
    return [kept]

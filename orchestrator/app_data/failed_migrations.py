"""What a migration committed before it failed or was killed: asked of the app, or found by comparing the data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from orchestrator.app_data import backups, migration_runs, migrations
from orchestrator.apps.context import AppContext
from orchestrator.backup_sidecar.difference import Difference
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.interruption import what_interrupted
from orchestrator.domain.schema_history import Direction, MigrationRun, Outcome, SchemaRevision, names
from orchestrator.errors import StepFailed, UnknownBackup


class Stands(Enum):
    """What of a migration stands in the data, as seen by comparing the data with the backup made before.

    `ROWS`: the schema is as before, and rows or files have changed while the app served requests: the migration may
    have changed some of them.
    """

    NOTHING = "nothing"
    ROWS = "rows"
    A_PART = "a part"
    UNKNOWN = "unknown"


SCHEMA_AS_BEFORE = (Stands.NOTHING, Stands.ROWS)


@dataclass(frozen=True)
class Found:
    """What is known of a deployment's migrations that did not succeed.

    `unnamed` is the direction of a run that committed something, or may have, of which no names are known; None if
    there is none. `only_rows`: no more than rows or files of it can stand. `perhaps` is the schema revision at which it
    failed, if those before it are committed: nothing but their way down shows whether a part of this one is, too.
    `says` has sentences for people.
    """

    unnamed: Direction | None = None
    says: tuple[str, ...] = ()
    only_rows: bool = False
    perhaps: SchemaRevision | None = None


async def find_out(context: AppContext, by: Deployment) -> Found:
    """Find out what the migrations of a deployment committed that did not succeed, and record it.

    The app's status command names it. Without one, or if it fails, or if it names nothing, the data is compared with
    the backup that was made before. Raises EngineError or JournalError.
    """
    says: list[str] = []
    not_known = perhaps = None
    runs = migration_runs.runs_of(context, by)
    for run in runs:
        if run.outcome is Outcome.DONE or run.direction is Direction.RESTORED:
            continue
        happened = await _reported(context, run)
        if happened is None:
            not_known = run
            continue
        outcome = Outcome.DONE if happened else Outcome.FAILED
        revisions, note = happened or run.revisions, run.note or what_interrupted(by)
        await context.journal.beside(context.journal.migration_ended, run.id, outcome, revisions, note)
        perhaps = _perhaps_a_part(run, happened) or perhaps
        says.append(_reported_in_words(run, happened))
    if not_known is not None:
        return await _compared(context, by, not_known, tuple(says))
    # The other runs, and those that are named, have changed the data: it differs from the backup by what is known.
    if says and not any(run.outcome is Outcome.DONE for run in migration_runs.runs_of(context, by)):
        return await _checked(context, by, runs[-1], tuple(says))
    return Found(None, tuple(says), perhaps=perhaps)


async def name_what_stands(context: AppContext, by: Deployment) -> None:
    """Ask again what the migrations did of which a failed deployment has left something without names, also one before
    the first release: the app's status command may work by now. Raises EngineError or JournalError."""
    left = context.journal.unsettled(context.name)
    if context.migrations is None or (left is None and by.previous):
        return
    runs = context.journal.migrations(context.name)
    restored = (run.id for run in runs if run.direction is Direction.RESTORED and run.outcome is Outcome.DONE)
    since = max(restored, default=0)
    for run in runs:
        is_asked = (
            run.id > since and run.outcome is Outcome.FAILED and (left is None or run.deployment == left.deployment)
        )
        if is_asked and (happened := await _reported(context, run)):
            await context.journal.beside(context.journal.migration_ended, run.id, Outcome.DONE, happened, run.note)


async def end_interrupted(context: AppContext, by: Deployment) -> None:
    """Record that the interrupted migrations of a restore have ended: what they did is gone when its data is.

    Their sidecars must be removed. Raises JournalError.
    """
    for run in migration_runs.runs_of(context, by):
        if run.outcome is Outcome.RUNNING and run.direction is not Direction.RESTORED:
            await context.journal.beside(
                context.journal.migration_ended, run.id, Outcome.FAILED, run.revisions, what_interrupted(by)
            )


async def compared_now(context: AppContext, by: Deployment) -> tuple[Stands, str]:
    """How the data differs from the backup made before the migration, with a sentence that says so.

    Raises EngineError.
    """
    backup = by.paused_backup or by.backup
    if not backup:
        return Stands.UNKNOWN, (
            f"It cannot be found out whether the migration committed something: {context.name} has no migrate.status, "
            "and there is no backup to compare the data with."
        )
    nobody_wrote = await only_we_write(context, by)
    before = context.journal.deployment(by.previous) if by.previous else by
    try:
        async with context.data_turn:
            found = await backups.compare(context, backup, before)
    except (StepFailed, UnknownBackup) as error:
        return Stands.UNKNOWN, f"It cannot be found out whether the migration committed something: {error.cause}"
    return _verdict(found, backup, nobody_wrote=nobody_wrote)


async def only_we_write(context: AppContext, by: Deployment) -> bool:
    """Whether requests are paused since before the backup `paused_backup`, so that a restore of it loses no write.

    False if somebody has resumed them by hand. Raises ProxyError.
    """
    paused = bool(by.paused_backup) and by.resumed_at is None
    return paused and context.name in await context.proxy.paused()


def _verdict(found: Difference, backup: str, *, nobody_wrote: bool) -> tuple[Stands, str]:
    if not found.content:
        return Stands.NOTHING, f"Nothing of the migration was committed: the data is as in backup {backup}."
    if found.structure or nobody_wrote:
        differ = ", ".join(found.structure or found.content)
        what = "the schema of " if found.structure else ""
        return (
            Stands.A_PART,
            f"The migration committed a part of its changes: {what}{differ} differs from backup {backup}.",
        )
    if found.databases:
        same, differ = ", ".join(found.databases), ", ".join(found.content[:5])
        return Stands.ROWS, (
            f"No change of the schema was committed: the schema of {same} is as in backup {backup}. Rows or files of "
            f"{differ} have changed since that backup: by the app, which served requests, or by the migration, which "
            "only migrate.status or migrate.compatible: false can tell apart."
        )
    differ = ", ".join(found.content[:5])
    return Stands.UNKNOWN, (
        f"It is not known whether the migration committed something: {differ} differs from backup {backup}, and the "
        "app served requests meanwhile."
    )


async def _compared(context: AppContext, by: Deployment, run: MigrationRun, says: tuple[str, ...]) -> Found:
    stands, sentence = await compared_now(context, by)
    note = f"{run.note or what_interrupted(by)} {sentence}"
    await context.journal.beside(context.journal.migration_ended, run.id, Outcome.FAILED, run.revisions, note)
    is_nothing = stands is Stands.NOTHING
    return Found(None if is_nothing else run.direction, (*says, sentence), only_rows=stands is Stands.ROWS)


async def _checked(context: AppContext, by: Deployment, run: MigrationRun, says: tuple[str, ...]) -> Found:
    """Compare the data although the app reports the same migrations as before.

    One that is not a single transaction (`atomic = False` of Django, DDL of MySQL) may have committed a part, and is
    still pending. If it cannot be compared, what the app reports counts.
    """
    stands, sentence = await compared_now(context, by)
    if stands is not Stands.A_PART:
        return Found(None, says)
    sentence = f"The app reports the same migrations as before, but one of them is not whole. {sentence}"
    note = f"{run.note or what_interrupted(by)} {sentence}"
    await context.journal.beside(context.journal.migration_ended, run.id, Outcome.FAILED, run.revisions, note)
    return Found(run.direction, (sentence,))


async def _reported(context: AppContext, run: MigrationRun) -> tuple[SchemaRevision, ...] | None:
    """What a run did, from what the app reports as pending now; None if the app cannot say, or its image is gone."""
    knows = migration_runs.brought(context, run.revisions[-1]) if run.revisions else None
    if knows is None or knows.release is None or not await context.engine.has_image(knows.release.image):
        return None
    try:
        still = await migrations.pending(context, knows)
    except StepFailed:
        return None
    if still is None:
        return None
    lacking = {one.revision for one in still}
    return tuple(one for one in run.revisions if (one.revision in lacking) is (run.direction is Direction.DOWN))


def _perhaps_a_part(run: MigrationRun, happened: tuple[SchemaRevision, ...]) -> SchemaRevision | None:
    """The schema revision at which a run failed that has committed those before it."""
    if run.direction is Direction.DOWN or not happened:
        return None
    return next((one for one in run.revisions if one not in happened), None)


def _reported_in_words(run: MigrationRun, happened: tuple[SchemaRevision, ...]) -> str:
    command = "migrate.down" if run.direction is Direction.DOWN else "migrate.command"
    if not happened:
        return f"Nothing of {command} was committed: the app reports the same migrations as before."
    did = "reverted" if run.direction is Direction.DOWN else "committed"
    said = f"Before it failed, {command} had {did} {names(happened)}: the app reports it."
    failed = _perhaps_a_part(run, happened)
    if failed is None:
        return said
    return f"{said} Whether {failed.revision}, which failed, left a part is not known, unless it is one transaction."

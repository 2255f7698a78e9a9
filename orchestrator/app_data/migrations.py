"""An app's own migration commands. Each runs in a sidecar of one of its releases and is recorded in the journal."""

from __future__ import annotations

import shlex
from collections import deque
from dataclasses import dataclass, replace

from orchestrator.app_data.migration_runs import brought
from orchestrator.app_data.migration_tip import migration_tip
from orchestrator.app_data.reported import Reported
from orchestrator.apps.container_spec import container_spec
from orchestrator.apps.context import AppContext
from orchestrator.config.app_schema import Migrate
from orchestrator.domain.deployment import Deployment
from orchestrator.domain.schema_history import (
    Direction,
    Outcome,
    SchemaChange,
    SchemaRevision,
    applied,
    change_to,
    named_after,
    names,
    newer_than,
)
from orchestrator.engine.base import Role
from orchestrator.errors import ChangeoverError, EngineError, StepFailed

LAST_LINES = 40
STATUS, UP, DOWN = "status", "migrate", "down"
TARGET = "CHANGEOVER_MIGRATE_TO"


@dataclass(frozen=True)
class Command:
    """One command to run, in the image of `image_of`, for the deployment `by`, with more environment variables."""

    job: str
    text: str
    by: Deployment
    image_of: Deployment
    env: dict[str, str]


async def pending(context: AppContext, deployment: Deployment) -> tuple[SchemaRevision, ...] | None:
    """The pending migrations of a release, from the app's status command; None when the app has none.

    Raises StepFailed when the command fails.
    """
    found = await schema_of(context, deployment)
    return None if found is None else found.pending


@dataclass(frozen=True)
class Schema:
    """What a status command reports. `applied` is empty if it reports pending migrations only."""

    applied: tuple[SchemaRevision, ...] = ()
    pending: tuple[SchemaRevision, ...] = ()


async def schema_of(context: AppContext, deployment: Deployment) -> Schema | None:
    """What the status command of a release reports; None when the app has none. Raises StepFailed when it fails.

    On data that is newer than the release, as after a rollback, the journal says it: the release lacks the files of the
    newer migrations, and each command of many tools fails on that.
    """
    settings = context.migrations
    if settings is None:
        return Schema()
    runs = context.journal.migrations(context.name)
    if newer_than(deployment.known_run, deployment.live_at, runs):
        return Schema(applied(runs), needed_by(context, deployment).up)
    if settings.status is None:
        return None
    has: list[SchemaRevision] = []
    lacks = await _run(context, Command(STATUS, settings.status, deployment, deployment, {}), has)
    return Schema(tuple(has), lacks)


async def up(context: AppContext, release: Deployment, by: Deployment) -> None:
    """Run the pending migrations of a release. Raises StepFailed."""
    settings = _settings(context)
    planned = release.pending or ()
    command = Command(UP, settings.command, by, release, {})
    done = await _on_record(context, Direction.UP, command, planned)
    if done:
        context.say(by.id, f"migrated: {names(done)}")


async def down(
    context: AppContext, revisions: tuple[SchemaRevision, ...], by: Deployment, *, checked: bool = False
) -> None:
    """Revert schema revisions, in a sidecar of the release that applied the newest of them. Raises StepFailed.

    With `checked`, the status command must report them as pending afterwards, if the app has one.
    """
    settings = _settings(context)
    target = revisions[0].previous
    if settings.down is None:
        raise StepFailed(
            f"{names(revisions)} cannot be reverted: {context.name} has no migrate.down.",
            f"Set migrate.down of {context.name} to a command that reverts migrations.",
        )
    if "{revision}" in settings.down and not target:
        raise StepFailed(
            f"{revisions[0].revision} cannot be reverted: {context.name} does not report its previous revision.",
            'Report the key "previous" in its migrate and status commands.',
        )
    newest = brought(context, revisions[-1]) or by
    command = Command(DOWN, settings.down.replace("{revision}", target), by, newest, {TARGET: target})
    await _on_record(context, Direction.DOWN, command, revisions, checked=checked)
    context.say(by.id, f"reverted: {names(revisions)}")


def needed_by(context: AppContext, release: Deployment) -> SchemaChange:
    """The schema change that a release, which was live before, needs before it can run. Raises JournalError."""
    return change_to(release.known_run, release.live_at, context.journal.migrations(context.name))


async def down_to_what_was(context: AppContext, by: Deployment) -> None:
    """Revert what a failed migration of `by` left, if nobody knows its names, by a down command that needs none.

    The caller must compare the data afterwards. Raises StepFailed.
    """
    settings = _settings(context)
    if settings.down is None or "{revision}" in settings.down:
        raise StepFailed(f"{context.name} has no migrate.down that needs no revision.")
    await _on_record(context, Direction.DOWN, Command(DOWN, settings.down, by, by, {}), ())


async def change(
    context: AppContext, wanted: SchemaChange, target: Deployment, by: Deployment, *, checked: bool = False
) -> None:
    """Make the schema change `wanted`, so that `target` can run on the data. Raises StepFailed.

    `checked` as in `down`.
    """
    if wanted.down:
        await down(context, wanted.down, by, checked=checked)
    if wanted.up:
        await up(context, replace(target, pending=wanted.up), by)


async def _on_record(
    context: AppContext,
    direction: Direction,
    command: Command,
    planned: tuple[SchemaRevision, ...],
    *,
    checked: bool = False,
) -> tuple[SchemaRevision, ...]:
    """Run a command, and record its start and end in the journal. An interrupted run stays `running`."""
    journal = context.journal
    run = await journal.beside(journal.migration_started, context.name, command.by.id, direction, planned)
    try:
        said = await _run(context, command, planned=planned)
        if checked:
            await _must_be_pending(context, planned, command)
    except StepFailed as error:
        await journal.beside(journal.migration_ended, run, Outcome.FAILED, planned, error.cause)
        raise
    except EngineError as error:
        if error.never_began:
            await journal.beside(journal.migration_never_began, run)
        raise
    done = planned if direction is Direction.DOWN else _done(context, command.image_of, said or planned)
    await journal.beside(journal.migration_ended, run, Outcome.DONE, done)
    return done


async def _must_be_pending(context: AppContext, revisions: tuple[SchemaRevision, ...], reverted: Command) -> None:
    """Raises StepFailed when the app reports a schema revision as applied that a down command has reverted."""
    still = await pending(context, reverted.image_of)
    if still is None:
        return
    stand = [one for one in revisions if one.revision not in {lacking.revision for lacking in still}]
    if stand:
        raise StepFailed(
            f"The command '{reverted.text}' succeeded, but {names(stand)} is still applied.",
            f"Correct migrate.down of {context.name}, or its migrate.status.",
        )


def _done(context: AppContext, release: Deployment, reported: tuple[SchemaRevision, ...]) -> tuple[SchemaRevision, ...]:
    """What a run that succeeded has applied: what it reported, and of a release that was live before all that it knows.

    If `migrate.compatible` is false, one that reports nothing counts as a revision that is named after the release.
    """
    if release.known_run is not None:
        told = {one.revision for one in reported}
        return (*reported, *(one for one in needed_by(context, release).up if one.revision not in told))
    if reported or _settings(context).compatible or release.release is None:
        return reported
    return (named_after(release.release.version, context.journal.migrations(context.name)),)


async def _run(
    context: AppContext,
    command: Command,
    has: list[SchemaRevision] | None = None,
    planned: tuple[SchemaRevision, ...] = (),
) -> tuple[SchemaRevision, ...]:
    """Run a command; the schema revisions that it reported. `has`, of a status command, gets those that the data has.
    `planned` are those that a migrate command is to apply, as far as they are known.

    A status command that reports nothing in our form may print that of a common tool (domain/tool_status.py).

    Raises StepFailed, with the last lines of output, when it fails, takes longer than `migrate.timeout` or prints a
    report that is not valid.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    reported = Reported()

    def line(text: str) -> None:
        last.append(text)
        context.say(command.by.id, text)
        reported.line(text)

    settings = _settings(context)
    name = context.sidecar_name(command.by, command.job)
    spec = container_spec(context, command.image_of, Role.SIDECAR, name, tuple(shlex.split(command.text)))
    spec = replace(spec, env=spec.env | command.env)
    status, late = await context.engine.run_to_end(spec, settings.timeout, line)
    if late:
        raise StepFailed(
            f"The migration '{command.text}' took longer than {settings.timeout:g} s (migrate.timeout).",
            f"Raise migrate.timeout of {context.name} if it needs longer.",
            log=tuple(last),
            exit_code=status.exit_code,
        )
    if status.exit_code != 0:
        raise StepFailed(
            f"The migration '{command.text}' {status.why_stopped}.",
            migration_tip(context, last, oom=status.oom),
            log=tuple(last),
            exit_code=status.exit_code,
            oom=status.oom,
        )
    if command.job == UP:
        reported.hear_late(planned)
    if command.job != DOWN:
        reported.check()
    if has is not None:
        reported.of_a_tool(command.text)
        has += reported.applied
    return tuple(_filled(one, settings) for one in reported.others)


def _filled(report: SchemaRevision, settings: Migrate) -> SchemaRevision:
    return report if settings.compatible else replace(report, compatible=False)


def _settings(context: AppContext) -> Migrate:
    if context.migrations is None:
        raise ChangeoverError(
            f"{context.name} has no migrate command.", "Set migrate.command to the command that migrates its data."
        )
    return context.migrations
